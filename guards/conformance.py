"""Does a detector keep what every detector promises? For the tests of own detectors.

>>> from spanward.guards.conformance import check_detector
>>> from spanward.guards.detectors.secrets import Secrets
>>> check_detector(Secrets(), hits=[("password: hunter2x", "PASSWORD", "hunter2x")], misses=["password: required"])
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .detectors import registry
from .detectors.detector import Detector, Hit

Expected = tuple[str, str] | tuple[str, str, str]
"""(text, label), or (text, label, what of the text is found)."""

STRANGE: tuple[str, ...] = (
    "", " ", "\n", "\x00", "\ud800", "e\u0301", "\u202eabc\u202c", "a\u200bb", "👨\u200d👩\u200d👧", "ﬁ", "İ", "ß",
    "日本語。",
    "שלום", "हिन्दी", "\U000e0041", "a" * 10_000, "\n" * 3000, "0 " * 3000, "{" * 500, '{"a": [1, 2', "<|x|>",
    "\\u0041", "%41",
    "".join(map(chr, range(1, 0x250))),
)  # fmt: skip
"""Texts that have broken programs before: invisible, astral, combining, alone, long, cut short."""


class NotConforming(AssertionError):  # noqa: N818  a finding about a detector
    """What a detector does not keep, a line each."""


def check_detector(
    detector: Detector,
    *,
    hits: Iterable[Expected] = (),
    misses: Iterable[str] = (),
    options: Any = None,
) -> None:
    """Raises `NotConforming`. `options` are those that it was made with, if its class has some.

    `hits` are texts with the label that must be found in them from its usual threshold on, and with what is found if
    that is said too; `misses` are texts in which nothing may be. Beside them it is asked about texts of all sorts.
    """
    found, clean = list(hits), list(misses)
    problems = [*_of_the_class(detector), *_of_the_labels(detector, options)]
    if not problems:
        labels = _labels(detector, options)
        texts = [text for text, *_ in found] + clean + [*STRANGE]
        problems, first = _asked_one_by_one(detector, labels, texts)
        for check in (_of_repetition, _of_threads) if not problems else ():
            problems += check(detector, labels, texts, first)
        if not problems:
            problems += _of_choice(detector, labels, texts)
            problems += _of_examples(detector, labels, found, clean)
    if problems:
        raise NotConforming("\n".join(dict.fromkeys(problems)))


Answers = list[list[Hit]]


def _labels(detector: Detector, options: Any) -> Mapping[str, float]:
    return registry.labels_of(type(detector), options)


def _of_the_class(detector: Detector) -> Iterator[str]:
    cls: Any = type(detector)
    name = getattr(cls, "name", None)
    if not isinstance(name, str) or not name.isidentifier():
        yield f"`name` is a word that a policy can use as a key, not {name!r}"
    if getattr(cls, "noun", None) not in {"entities", "labels"}:
        yield "`noun` is 'entities' or 'labels'"
    model = getattr(cls, "Options", None)
    if model is not None and getattr(model, "model_config", {}).get("extra") != "forbid":
        yield "`Options` must refuse keys that it does not know: model_config = ConfigDict(extra='forbid')"
    if getattr(cls, "reads", "folded") not in {"folded", "decoded", "source"}:
        yield "`reads` is 'folded', 'decoded' or 'source'"
    for said, empty in (("engine", False), ("degraded", True)):
        value = getattr(detector, said, None)
        if not isinstance(value, str) or not (value or empty):
            yield f"`{said}` is a text{'' if empty else ' that is not empty'}, not {value!r}"


def _of_the_labels(detector: Detector, options: Any) -> Iterator[str]:
    cls: Any = type(detector)
    labels = _labels(detector, options) if hasattr(cls, "labels") else {}
    if not labels:
        yield "no labels: `labels` maps each to its usual threshold, or `labels_for(options)` does"
    for label, threshold in labels.items():
        if not isinstance(label, str) or not label.strip():
            yield f"a label is a text, not {label!r}"
        if not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
            yield f"the threshold of {label!r} is a number from 0 to 1, not {threshold!r}"
    # where labels follow from options, `opt_in` is that of all options together
    strangers = set() if hasattr(cls, "labels_for") else set(getattr(cls, "opt_in", ())) - set(labels)
    if strangers:
        yield f"`opt_in` names labels that it does not have: {', '.join(sorted(map(str, strangers)))}"


def _asked_one_by_one(
    detector: Detector, labels: Mapping[str, float], texts: Sequence[str]
) -> tuple[list[str], Answers]:
    problems: list[str] = []
    answers: Answers = []
    for text in texts:
        try:
            (hits,) = detector.detect([text], frozenset(labels))
        except Exception as error:  # noqa: BLE001  any failure is a finding here
            problems.append(f"{_shown(text)}: raises {type(error).__name__}, or is not one answer to one text")
            continue
        answers.append(list(hits))
        problems += [f"{_shown(text)}: {problem}" for hit in hits for problem in _of_one(hit, text, labels)]
    return problems, answers


def _of_one(hit: Hit, text: str, labels: Mapping[str, float]) -> Iterator[str]:
    if hit.label not in labels:
        yield f"finds {hit.label!r}, which is none of its labels"
    if not 0 <= hit.start <= hit.end <= len(text):
        yield f"places {hit.start}:{hit.end} lie outside of {len(text)} characters (code points, not bytes)"
    elif hit.start == hit.end and text:
        yield f"finds nothing at {hit.start}"
    if not 0 <= hit.score <= 1:
        yield f"scores {hit.score}, which is not from 0 to 1"
    said = text[hit.start : hit.end].strip()
    if len(said) >= 4 and said in hit.explanation:
        yield "quotes the text in its explanation, which is stored and shown"


def _of_repetition(
    detector: Detector, labels: Mapping[str, float], texts: Sequence[str], first: Answers
) -> Iterator[str]:
    """Several texts at once, and each by itself, are judged alike, however often."""
    asked = frozenset(labels)
    if [list(hits) for text in texts for hits in detector.detect([text], asked)] != first:
        yield "the same texts are judged differently the second time"
    elif [list(hits) for hits in detector.detect(list(texts), asked)] != first:
        yield "answers differ, or come in another order, when several texts are asked at once"
    if list(detector.detect([], asked)) != []:
        yield "no texts have no answers"


def _of_threads(detector: Detector, labels: Mapping[str, float], texts: Sequence[str], first: Answers) -> Iterator[str]:
    def ask(n: int) -> bool:
        said = [list(hits) for hits in detector.detect([*texts[n:], *texts[:n]], frozenset(labels))]
        return said == [*first[n:], *first[:n]]

    with ThreadPoolExecutor(8) as pool:
        if not all(pool.map(ask, [n % len(texts) for n in range(16)])):
            yield "answers differ when several threads ask at once"


def _of_choice(detector: Detector, labels: Mapping[str, float], texts: Sequence[str]) -> Iterator[str]:
    """Only what is asked is answered."""
    for label in labels:
        others = {hit.label for hits in detector.detect(list(texts), frozenset({label})) for hit in hits} - {label}
        if others:
            yield f"asked for {label!r} alone, it finds {', '.join(sorted(map(repr, others)))}"


def _of_examples(
    detector: Detector, labels: Mapping[str, float], found: Sequence[Expected], clean: Sequence[str]
) -> Iterator[str]:
    asked = frozenset(labels)
    for text, label, *span in found:
        hits = [hit for hit in detector.detect([text], asked)[0] if hit.label == label]
        reached = [hit for hit in hits if hit.score >= labels.get(label, 0)]
        if not reached:
            yield f"{_shown(text)}: {label!r} is not found" + (" from its threshold on" if hits else "")
        elif span and span[0] not in {text[hit.start : hit.end] for hit in reached}:
            yield f"{_shown(text)}: {label!r} is found at another place"
    for text in clean:
        wrong = {hit.label for hit in detector.detect([text], asked)[0] if hit.score >= labels.get(hit.label, 0)}
        if wrong:
            yield f"{_shown(text)}: finds {', '.join(sorted(map(repr, wrong)))} where nothing is"


def _shown(text: str) -> str:
    """A test's own text, short and printable."""
    short = text if len(text) <= 40 else text[:37] + "..."
    return ascii(short)
