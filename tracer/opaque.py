"""What is no JSON, where JSON goes: what it is judged by, and that it stays what it is where nobody changed that.

A library encodes such things its own way (dates, models, numbers) or refuses them. Neither is for us to change.
"""

from collections.abc import Iterator, Mapping
from typing import Any

_JSON = (str, int, float, type(None))


def said(value: Any) -> str:
    """The text that stands for it in JSON that we make; none where that would be a type and an address, no more."""
    kind: Any = type(value)
    is_address = kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__
    return "" if is_address else str(value)


def kept(before: Any, after: Any) -> Any:
    """`after`, decoded JSON of our own, with what is no JSON in `before` back in the places that still say the same.

    Goes as deep as any JSON, which is deeper than Python's own stack.
    """
    root = [after]
    stack = list(_places([before], root))
    while stack:
        holder, place, was = stack.pop()
        now = holder[place]
        if isinstance(was, Mapping | list | tuple):
            stack += _places(was, now)
        elif not isinstance(was, _JSON) and now == said(was):
            holder[place] = was
    return root[0]


def _places(before: Any, after: Any) -> Iterator[tuple[Any, Any, Any]]:
    """(the holder, the place in it, what stood there) of all that is in both, in their order: keys may have changed."""
    if isinstance(before, Mapping) and isinstance(after, dict) and len(before) == len(after):
        yield from ((after, place, was) for place, was in zip(after, before.values(), strict=True))
    elif isinstance(before, list | tuple) and isinstance(after, list) and len(before) == len(after):
        yield from ((after, place, was) for place, was in enumerate(before))
