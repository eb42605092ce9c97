"""Words before a finding that speak for it, judged as presidio's `LemmaContextAwareEnhancer` judges whole words.

The same five words and the same 0.35, without tokenising the text: a few hundred characters before each finding are
read instead. A test compares the scores with presidio's own. One thing is different: many recognizers name a phrase
("postal code"), which presidio compares with single words, in vain; here a phrase is looked for as one.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

WORDS = 5
FACTOR = 0.35
LEAST = 0.4
TOKEN = re.compile(r"\w+|[^\w\s]")
_REACH = 240


@dataclass(frozen=True, slots=True)
class Context:
    """What speaks for a recognizer's findings, lower case: words, and phrases of several."""

    words: frozenset[str]
    phrases: tuple[str, ...]


def context_of(said: Iterable[str]) -> Context:
    """From the words and phrases that a recognizer names."""
    spread = [[word.lower() for word in TOKEN.findall(each) if _counts(word)] for each in said]
    return Context(
        frozenset(each.lower() for each in said), tuple(f" {' '.join(words)} " for words in spread if len(words) > 1)
    )


def enhanced(score: float, text: str, start: int, context: Context) -> float:
    """The score of a finding at `start`, raised if what stands before it speaks for it."""
    if context.words and _speaks(context, words_before(text, start)):
        return min(max(score + FACTOR, LEAST), 1.0)
    return score


def _speaks(context: Context, words: list[str]) -> bool:
    if not context.words.isdisjoint(words):
        return True
    line = f" {' '.join(words)} "
    return any(phrase in line for phrase in context.phrases)


def words_before(text: str, start: int) -> list[str]:
    """The five words before the token at `start`, and that token, lower case; punctuation is no word."""
    while 0 < start < len(text) and _same_word(text, start):
        start -= 1
    own = TOKEN.search(text, start)
    if own is None:
        return []
    words = _backwards(text, own.start(), own.start() - _REACH)
    return [*words[-WORDS:], own.group().lower()] if _counts(own.group()) else words[-WORDS - 1 :]


def _same_word(text: str, at: int) -> bool:
    return _is_word(text[at]) and _is_word(text[at - 1])


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"


def _backwards(text: str, end: int, start: int) -> list[str]:
    """Words of `text[start:end]`, of more of it if the stretch holds too few."""
    found = [word.lower() for word in TOKEN.findall(text, max(0, start), end) if _counts(word)]
    if start <= 0:
        return found
    return found[1:] if len(found) > WORDS + 1 else _backwards(text, end, start - 16 * _REACH)


def _counts(token: str) -> bool:
    return token.lower() != "be" and (len(token) > 1 or token.isalnum())
