"""What the local provider answers: steered by the model's name, seeded by the prompt, so the same call gets the same.

A model name ends in any number of these words, joined by `-` (`gpt-4o-mini`, `gpt-4o-mini-echo-chunks40`, `err-500`):

    err-NNN        that HTTP error with the provider's own body; `err-NNN-once` answers when the call is repeated
    midstream      the connection drops after chunk 10
    slow           50 ms a chunk, 2 s for a whole answer
    chunksN        the answer in N pieces, cut anywhere
    echo           answers with the last user text that it received
    tool           calls the first tool, unless it was just given a tool's result
    thinking       thinks before it answers
    cached         half of the prompt was read from the cache
    rude, empty, refusal     what it says
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

_WORDS = re.compile(
    r"(?:^|-)(err-\d{3}(?:-once)?|midstream|slow|chunks\d+|echo|tool|thinking|cached|rude|empty|refusal)$"
)
_QUOTABLE = re.compile(r"<[A-Z_]{1,40}_\d+>|(?<![\w.+-])[\w.+-]{1,64}@[\w-]+\.[\w.]+")
DROP_AFTER = 10
"""Chunks before the connection drops, with `midstream`."""

OPENINGS = (
    "Thank you for getting in touch.",
    "I am sorry about the trouble with your order.",
    "Good question, let me look that up.",
    "I have checked your account.",
    "Thanks for waiting, I found it.",
)
BODIES = (
    "The parcel left our warehouse this morning and should arrive within two working days.",
    "The refund was issued today; banks usually take three to five days to show it.",
    "You can change the delivery date in the app until midnight.",
    "The invoice has been sent again, and the address on it is corrected.",
    "A replacement is on its way, and the return label is in the box.",
    "The warranty covers this, so the repair will cost you nothing.",
    "The part is back in stock next week, and I have reserved one for you.",
)
CLOSINGS = (
    "Is there anything else I can do?",
    "Have a good day.",
    "Write again if it does not work.",
    "Happy to help.",
)
CONFIRMATION = "I have written to {} to confirm it."
RUDE = (
    "What a stupid question. Only an idiot would ask that.",
    "You are a pathetic loser, stop wasting my time.",
    "Shut up and read the manual, you moron.",
)
REFUSAL = "I cannot help with that request."
THOUGHT = "The customer wants to know the state of an order. I should look at the shipping record first."


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a model's name asks for; `model` is the name without the words, as the answer gives it back."""

    model: str
    words: frozenset[str]
    error: int = 0
    error_once: bool = False
    chunks: int = 0

    @property
    def pause(self) -> float:
        """Seconds before each chunk."""
        return 0.05 if "slow" in self.words else 0.0


def behaviour(model: str, default: str) -> Behaviour:
    """Take the words off the end of a model's name; `default` is the model where nothing is left."""
    words = []
    while match := _WORDS.search(model):
        words.append(match[1])
        model = model[: match.start()]
    errors = [word for word in words if word.startswith("err-")]
    chunks = [int(word[6:]) for word in words if word.startswith("chunks")]
    return Behaviour(
        model or default,
        frozenset(words),
        error=int(errors[0][4:7]) if errors else 0,
        error_once=bool(errors) and errors[0].endswith("once"),
        chunks=chunks[0] if chunks else 0,
    )


def tokens(text: str) -> int:
    """A count that depends on nothing but the text: one token for every four characters, at least one."""
    return max(1, -(-len(text) // 4))


def texts(value: Any) -> Iterator[str]:
    """Every string below `value` that is not a type or a role."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in {"type", "role"}:
                yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def answer(how: Behaviour, prompt: str, last: str) -> str:
    """The text of an answer to `prompt`, whose last user text is `last`."""
    seed = hashlib.sha256(f"{how.model}\0{prompt}".encode()).digest()
    if "echo" in how.words:
        return last
    if "empty" in how.words:
        return ""
    if "refusal" in how.words:
        return REFUSAL
    if "rude" in how.words:
        return RUDE[seed[0] % len(RUDE)]
    said = [OPENINGS[seed[1] % len(OPENINGS)], BODIES[seed[2] % len(BODIES)]]
    said += [CONFIRMATION.format(found[0])] if (found := _QUOTABLE.search(last)) else []
    said += [CLOSINGS[seed[3] % len(CLOSINGS)]]
    needed = how.chunks or (4 * DROP_AFTER if "midstream" in how.words else 0)
    step = 4
    while len(" ".join(said)) < needed:
        said.append(BODIES[seed[step % len(seed)] % len(BODIES)])
        step += 1
    return " ".join(said)


def pieces(how: Behaviour, text: str) -> list[str]:
    """The text as it is streamed: in words, or in exactly as many pieces as the model's name says (or as it has)."""
    if not text:
        return []
    if not how.chunks:
        return re.findall(r"\s*\S+\s*$|\s*\S+", text) or [text]
    count = min(how.chunks, len(text))
    cuts = [len(text) * i // count for i in range(count + 1)]
    return [text[a:b] for a, b in pairwise(cuts)]


def instance(schema: Any, text: str) -> Any:
    """A value that fits a JSON schema: strings say `text`, lists have one entry, the first of several choices wins."""
    return _fill(schema, schema, text)


def _fill(node: Any, root: Any, text: str) -> Any:
    for choice in ("anyOf", "oneOf", "allOf", "enum"):
        if choice in node:
            first = node[choice][0]
            return first if choice == "enum" else _fill(first, root, text)
    if "$ref" in node:
        return _fill(_referred(node["$ref"], root), root, text)
    kind = node.get("type", "object" if "properties" in node else "string")
    if kind == "object":
        return {name: _fill(child, root, text) for name, child in node.get("properties", {}).items()}
    if kind == "array":
        return [_fill(node.get("items", {}), root, text)]
    scalars = {"integer": tokens(text), "number": tokens(text) / 2, "boolean": True, "null": None}
    return node["const"] if "const" in node else scalars.get(kind, text)


def _referred(reference: str, root: Any) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        root = root[step]
    return root


def structured(schema: Any, how: Behaviour, prompt: str, last: str) -> str:
    """The JSON text of a structured answer."""
    return json.dumps(instance(schema, answer(how, prompt, last)), ensure_ascii=False)


def arguments(schema: Any, how: Behaviour, last: str) -> dict[str, Any]:
    """What a tool is called with."""
    said = last if "echo" in how.words else f"A-{1000 + tokens(last)}"
    found = instance(schema or {"type": "object", "properties": {"order": {"type": "string"}}}, said)
    return found if isinstance(found, dict) else {"value": found}
