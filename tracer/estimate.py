"""Token counts of a call that nobody told us: by the letters of its texts, without any provider's tokenizer.

A text is counted by the classes of its bytes in UTF-8, in a handful of passes in C, so it costs next to nothing and
grows with the length alone. `benchmarks/token_estimate.py` says how far off it is.
"""

from collections.abc import Iterable

from ..guards.messages import Message, Part
from .call import ModelCall, Usage

LOWER, UPPER, DIGIT, BREAK, MARK, LATIN, TWO, SOUTH, SIGN, CJK, HANGUL, EMOJI = b"abcdefghijkl"
WEIGHTS = {
    LOWER: 0.25,
    UPPER: 0.7,
    DIGIT: 0.55,
    BREAK: 0.65,
    MARK: 0.45,
    LATIN: 1.4,
    TWO: 0.42,
    SOUTH: 0.6,
    SIGN: 1.5,
    CJK: 0.95,
    HANGUL: 0.8,
    EMOJI: 1.0,
}
"""Tokens a character, by the class of its first byte: letters, digits, line breaks and tabs, other signs of ASCII;
Latin letters with accents; Greek, Cyrillic, Hebrew, Arabic; the scripts of South and South-East Asia; typographic
signs; Chinese and Japanese; Korean; emoji. Fitted to what the encodings `o200k_base` and `cl100k_base` make of prose,
filings, code, JSON and sentences in 60 languages, between the two where they differ."""
IMAGE = 800
"""Tokens of an image, whose size nobody knows here: providers count from 85 to 1,600."""
MESSAGE, ANSWER = 4, 3
"""Tokens around each message of a chat, and for the answer to begin."""
CALL = 8
"""Tokens around a call of a tool."""
TOOLS = {"anthropic": 290}
"""Tokens of what a provider tells the model about tools, once, where there are any."""
DEFINITIONS = 0.6
"""A definition of a tool takes so much of what its JSON would: providers write it shorter for the model."""
OPERATIONS = {"chat", "text_completion", "generate_content", "embeddings"}
"""What is counted in tokens of text. Of everything else nothing is estimated."""
PARTLY = 4
"""A stream that was left said how much it wrote so far, or only how it began: that is taken for too little if it is
less than what was read, divided by this."""


def _classes() -> bytes:
    """The class of each byte; 0 for spaces, which belong to the word behind, and for bytes within a character."""
    table = bytearray(256)
    ranges = {
        LOWER: ((0x61, 0x7B),),
        UPPER: ((0x41, 0x5B),),
        DIGIT: ((0x30, 0x3A),),
        BREAK: ((0x09, 0x0E),),
        MARK: ((0x21, 0x30), (0x3A, 0x41), (0x5B, 0x61), (0x7B, 0x7F)),
        LATIN: ((0xC2, 0xCD),),
        TWO: ((0xCD, 0xE0),),
        SOUTH: ((0xE0, 0xE2),),
        SIGN: ((0xE2, 0xE3),),
        CJK: ((0xE3, 0xEA), (0xEF, 0xF0)),
        HANGUL: ((0xEA, 0xEE),),
        EMOJI: ((0xF0, 0xF5),),
    }
    for kind, spans in ranges.items():
        for first, behind in spans:
            table[first:behind] = bytes([kind]) * (behind - first)
    return bytes(table)


CLASSES = _classes()
_OF_ASCII = (LOWER, UPPER, DIGIT, BREAK, MARK)


def tokens(text: str) -> float:
    """How many tokens a text is, about."""
    classes = text.encode("utf-8", "surrogatepass").translate(CLASSES)
    kinds: Iterable[int] = _OF_ASCII if text.isascii() else WEIGHTS
    return sum([WEIGHTS[kind] * classes.count(kind) for kind in kinds])


def fill(call: ModelCall, *, left_out: int = 0, complete: bool = True) -> None:
    """Estimate the usage of a call that was answered, unless the provider told it: all of it, or, of a stream that was
    not `complete`, what it had written by then. `left_out` is how many characters of the answer were not kept.
    """
    if call.operation not in OPERATIONS:
        return
    told = call.usage
    if told.source == "none":
        written = round(_written(call, left_out))
        call.usage = Usage(input=round(_read(call)), output=written, source="estimated", raw=told.raw)
    elif told.source == "provider" and not complete:
        written = round(_written(call, left_out))
        if told.output_total * PARTLY < written:
            told.output, told.reasoning, told.output_audio, told.source = written, 0, 0, "estimated"


def _read(call: ModelCall) -> float:
    said = _of(call.messages)
    if call.operation in {"chat", "generate_content"}:
        said += len(call.messages) * MESSAGE + ANSWER
    return said + (DEFINITIONS * _of(call.tools) + TOOLS.get(call.provider, 0) if call.tools else 0)


def _written(call: ModelCall, left_out: int) -> float:
    if call.operation == "embeddings":
        return 0.0
    kept = _of(call.output)
    if not left_out:
        return kept
    characters = sum(len(part.text) for message in call.output for part in message.parts)
    return kept * (1 + left_out / max(1, characters))


def _of(messages: tuple[Message, ...]) -> float:
    parts = [part for message in messages for part in message.parts]
    return tokens("\n".join([part.text for part in parts])) + sum(map(_beside, parts))


def _beside(part: Part) -> float:
    if part.kind == "tool_call":
        return CALL + tokens(part.name)
    return IMAGE if part.kind == "media" and part.mime.startswith("image") else 0
