"""Values of one kind in a text, for lists of what is allowed and what is not: hosts, domains, numbers."""

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from .bounded_regex import Clock, compile_bounded
from .options import Options, TimeLimit, Words

Kind = Literal["url_host", "email_domain", "email", "number", "word", "regex", "text"]
Extract = tuple[int, int, str]
"""Where it stands, and its value in the form that lists are compared with."""

_REST = r"[^\s/\\?#<>\"'`(){}\[\]|^]"
_URL = re.compile(
    rf"(?i)(?<![a-z0-9+.-])(?:[a-z][a-z0-9+.-]{{0,30}}:[/\\]{{2}}({_REST}{{1,300}})"
    rf"|[/\\]{{2}}({_REST}{{1,300}}\.{_REST}{{1,300}})|(www\.{_REST}{{1,300}}))"
)
"""With a scheme; without one, where a dot tells a host from a comment in code; and what a reader's program links."""
_IP6_URL = re.compile(r"(?i)//(?:[^\s/@]{0,100}@)?(\[[0-9a-f:.]+\])")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@((?:[\w-]{1,63}\.){1,10}[\w-]{2,63})")
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:[.,]\d+)*(?!\w)")
_WORD = re.compile(r"\w+(?:[-'’]\w+)*")  # noqa: RUF001  the apostrophe of printed text


class ListOptions(Options):
    """`values` are exact, or globs (`*`, `?`), and ignore case unless told; `pattern` is what `of: regex` takes out."""

    of: Kind
    values: Annotated[Words, Field(min_length=1)]
    pattern: str = ""
    ignore_case: bool = True
    timeout_ms: TimeLimit = 1000

    @model_validator(mode="after")
    def _pattern_where_it_belongs(self) -> Self:
        if (self.of == "regex") != bool(self.pattern):
            raise ValueError("`of: regex` needs a `pattern`, and nothing else has one")
        if self.pattern:
            compile_bounded(self.pattern)
        return self


class Listed:
    """A list, and what is looked for in texts to be held against it."""

    def __init__(self, options: ListOptions) -> None:
        self._find = _finder(options)
        self._fold: Callable[[str], str] = str.casefold if options.ignore_case else str
        values = [self._fold(value) for value in options.values]
        self._exact = {value for value in values if not _is_glob(value)}
        globs = "|".join(translate(value.replace("[", "[[]")) for value in values if _is_glob(value))
        self._globs = re.compile(globs) if globs else None

    def extracts(self, text: str) -> Iterator[tuple[int, int, bool]]:
        """Where a value stands, and whether it is on the list. Raises `TimeoutError` for a slow pattern."""
        for start, end, value in self._find(text):
            yield start, end, self._has(self._fold(value))

    def _has(self, value: str) -> bool:
        return value in self._exact or (self._globs is not None and self._globs.fullmatch(value) is not None)


def _is_glob(value: str) -> bool:
    return "*" in value or "?" in value


def _finder(options: ListOptions) -> Callable[[str], Iterable[Extract]]:
    if options.of != "regex":
        return _FINDERS[options.of]
    pattern: Any = compile_bounded(options.pattern)
    group = "value" if "value" in pattern.groupindex else 0

    def find(text: str) -> Iterator[Extract]:
        for match in Clock(options.timeout_ms).matches(pattern, text):
            yield (*match.span(group), match.group(group))

    return find


def _hosts(text: str) -> Iterator[Extract]:
    """Of every URL, also without a scheme. What stands before an `@` is a name to log in with, however it looks."""
    for match in _IP6_URL.finditer(text):
        yield (*match.span(1), match.group(1))
    for match in _URL.finditer(text):
        start, end = match.span(match.lastindex or 0)
        at = text.rfind("@", start, end)
        start = at + 1 if at >= 0 else start
        host = text[start:end].rstrip(".,;:!*_~")
        end = start + len(host)
        port = re.search(r":\d*$", host)
        name = (host[: port.start()] if port else host).rstrip(".")
        if name:
            yield start, end, name


def _domains(text: str) -> Iterator[Extract]:
    for match in _EMAIL.finditer(text):
        yield (*match.span(1), match.group(1))


def _whole(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Extract]]:
    return lambda text: ((*match.span(), match.group()) for match in pattern.finditer(text))


_FINDERS: dict[Kind, Callable[[str], Iterable[Extract]]] = {
    "url_host": _hosts,
    "email_domain": _domains,
    "email": _whole(_EMAIL),
    "number": _whole(_NUMBER),
    "word": _whole(_WORD),
    "text": lambda text: [(0, len(text), text.strip())],
}
