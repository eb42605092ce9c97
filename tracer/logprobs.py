"""Token probabilities repeat an answer token by token, in pieces that no rule can judge and no edit can be made in.

Where a rule may take something out of the answer they are taken out of it too.
"""

from collections.abc import Iterator
from typing import Any

HOLDERS = ("choices", "candidates", "output", "content", "message", "item", "part", "response")
"""What leads to them, in the answers and chunks of all that tell them."""
NAMES = ("logprobs", "logprobs_result", "top_logprobs", "prompt_logprobs")
DEEP = 6


def drop(answer: Any) -> bool:
    """Take them out of an answer or a chunk, an object or decoded JSON. Whether there were any."""
    found = False
    for holder in _holders(answer, 0):
        for name in NAMES:
            value = _get(holder, name)
            if isinstance(value, (str, int, float)) or not value:
                continue
            found = True
            empty: Any = [] if isinstance(value, list) else None
            if isinstance(holder, dict):
                holder[name] = empty
            else:
                setattr(holder, name, empty)
    return found


def _holders(value: Any, depth: int) -> Iterator[Any]:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _holders(item, depth)
    elif value is not None and not isinstance(value, (str, bytes, int, float)) and depth < DEEP:
        yield value
        for name in HOLDERS:
            yield from _holders(_get(value, name), depth + 1)


def _get(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
