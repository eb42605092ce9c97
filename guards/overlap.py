"""Whether two rules can meet in one call, and whether one applies wherever the other does: what `when:` says of it."""

from fnmatch import fnmatchcase

from .rules import Patterns, When

FIELDS = tuple(key for key in When.model_fields if key != "stage")


def overlap(one: When, other: When) -> bool:
    """Whether some text can be subject to both; patterns of which one may match what the other does count as such."""
    shared = set(one.stage) & set(other.stage)
    return bool(shared) and all(_meet(getattr(one, key), getattr(other, key), key) for key in FIELDS)


def _meet(these: Patterns, those: Patterns, key: str) -> bool:
    if not these or not those or key == "tags":  # a call has several tags
        return True
    return any(_may_meet(a, b) for a in these for b in those)


def _may_meet(one: str, other: str) -> bool:
    """Only the letters before the first wildcard are compared: a conflict told in vain beats one that is missed."""
    plain, also = _letters(one), _letters(other)
    if plain == one and also == other:
        return one == other
    if plain == one:
        return fnmatchcase(one, other)
    if also == other:
        return fnmatchcase(other, one)
    return plain.startswith(also) or also.startswith(plain)


def _letters(pattern: str) -> str:
    cut = min((at for at in map(pattern.find, "*?[") if at >= 0), default=len(pattern))
    return pattern[:cut]


def within(inner: When, outer: When) -> bool:
    """Whether `outer` applies wherever `inner` does."""
    return set(inner.stage) <= set(outer.stage) and all(
        not getattr(outer, key)
        or ("*" in getattr(outer, key) and key != "tags")
        or (
            bool(getattr(inner, key))
            and all(any(_covers(wide, narrow) for wide in getattr(outer, key)) for narrow in getattr(inner, key))
        )
        for key in FIELDS
    )


def _covers(outer: str, inner: str) -> bool:
    """`shop-*` covers `shop-web` and `shop-w*`."""
    if outer in {inner, "*"}:
        return True
    if _letters(inner) == inner:
        return fnmatchcase(inner, outer)
    return outer.endswith("*") and _letters(outer) == outer[:-1] and inner.startswith(outer[:-1])
