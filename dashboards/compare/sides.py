"""What is set against what: two views in one address, `a.model=…&b.model=…`; keys without a side are for both."""

from collections.abc import Iterable
from dataclasses import dataclass

from ..api.operation import Parameter
from ..view import FILTERS as ALL_FILTERS
from ..view import BadView, View, read

NAMES = ("a", "b")
_TEXTS = {"type": "array", "items": {"type": "string"}, "maxItems": 50}
TAKES = tuple(
    Parameter(
        f"{side}.{name}",
        f"`{name}` of side {side.upper()} alone",
        {"type": "string"} if name in ("from", "to") else _TEXTS,
    )
    for side in NAMES
    for name in ("from", "to", *ALL_FILTERS)
)


@dataclass(frozen=True, slots=True)
class Sides:
    """`differ`: filters that one side has and the other has not in the same way, `range` among them."""

    a: View
    b: View
    differ: frozenset[str]


def sides(query: Iterable[tuple[str, str]], now: int) -> Sides:
    """Raises `BadView`."""
    both: list[tuple[str, str]] = []
    own: dict[str, list[tuple[str, str]]] = {side: [] for side in NAMES}
    for key, value in query:
        side, dot, name = key.partition(".")
        (own[side] if dot and side in NAMES else both).append((name if dot and side in NAMES else key, value))
    a, b = (_view(both, own[side], now, side) for side in NAMES)
    if any(view.text and view.inside == "content" for view in (a, b)):
        raise BadView("a comparison does not search content, which finds the newest calls only: take `in` away")
    differ = {name for name in ALL_FILTERS if (_of(a, name)) != _of(b, name)}
    if (a.start, a.end) != (b.start, b.end):
        differ.add("range")
    return Sides(a, b, frozenset(differ))


def _view(both: list[tuple[str, str]], own: list[tuple[str, str]], now: int, side: str) -> View:
    """What a side says itself comes before what is said for both."""
    mine = {key.removesuffix("!") for key, _ in own}
    try:
        return read([*own, *((key, value) for key, value in both if key.removesuffix("!") not in mine)], now)
    except BadView as wrong:
        raise BadView(f"side {side.upper()}: {wrong}") from None


def _of(view: View, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(sorted(view.chosen.get(name, ()))), tuple(sorted(view.refused.get(name, ())))
