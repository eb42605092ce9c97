"""Windows of tokens over texts, batches of windows of like length, and the worst window of each text.

What follows is the same for every model that reads tokens and gives a row of scores for a window.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from .windows import Worst, windows

WINDOW, OVERLAP = 256, 64
"""Tokens. Detoxify's own package cuts at 512 and never sees the rest."""
STRETCH, SHARED = 16_000, 400
"""Characters that go through the tokenizer at a time, so that no text keeps others waiting for long."""
BATCH = 8
"""Windows at most."""
TURN = 512
"""Tokens of a batch at most, padding included: beyond some 100 a larger batch gains nothing on a CPU, it only
keeps the next question waiting."""
NEAR = 8
"""Tokens of padding that cost as much as one more run of the model (docs/models/detoxify.md)."""
AHEAD = 32
"""Windows of one question that are cut before they are scored: enough to find company of like length."""


class Piece(NamedTuple):
    """One window of one text: its token ids, and where it lies, in code points."""

    ids: Sequence[int]
    start: int
    end: int


class Encoder(Protocol):
    """A model with its tokenizer. `about` goes to whoever asks: JSON, with at least `name` and `labels`."""

    @property
    def about(self) -> Mapping[str, Any]: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    def pieces(self, text: str) -> Iterator[Piece]:
        """The windows that cover `text`; none for a text without a token."""
        ...

    def scores(self, batch: Sequence[Sequence[int]]) -> Sequence[Sequence[float]]:
        """A row of probabilities for each window, a column for each of `labels`."""
        ...


def cut(tokenizer: Any, text: str) -> Iterator[Piece]:
    """By a `tokenizers.Tokenizer` that truncates to `WINDOW` with a stride of `OVERLAP` (`prepared`)."""
    for begin, end in windows(text, STRETCH, SHARED):
        part = text[begin:end]
        if not part.strip():
            continue
        # half of a surrogate pair stops the tokenizer; '?' is as long
        first = tokenizer.encode(part.encode("utf-8", "replace").decode())
        for encoding in (first, *first.overflowing):
            places = [place for pair in encoding.offsets for place in pair if pair[1] > pair[0]]
            if places:
                yield Piece(encoding.ids, begin + min(places), begin + max(places))


def prepared(tokenizer: Any) -> Any:
    """The `tokenizers.Tokenizer` set to what `cut` expects; batches are padded later, by their longest window."""
    tokenizer.enable_truncation(max_length=WINDOW, stride=OVERLAP)
    tokenizer.no_padding()
    return tokenizer


class Memory:
    """Scores of windows that were scored before: a conversation brings its whole history again with each turn.

    Keys are digests, so no text outlives its question.
    """

    def __init__(self, size: int = 20_000) -> None:
        self._rows: OrderedDict[bytes, Sequence[float]] = OrderedDict()
        self._size = size

    def get(self, ids: Sequence[int]) -> Sequence[float] | None:
        key = _digest(ids)
        if key in self._rows:
            self._rows.move_to_end(key)
        return self._rows.get(key)

    def put(self, ids: Sequence[int], row: Sequence[float]) -> None:
        self._rows[_digest(ids)] = row
        if len(self._rows) > self._size:
            self._rows.popitem(last=False)


class Job:
    """One question on its way: its texts are cut as they are needed, its windows come back in any order.

    One that is `alone` shares no batch with another question.
    """

    def __init__(self, number: int, texts: Sequence[str], encoder: Encoder, *, alone: bool = False) -> None:
        self.number, self.alone = number, alone
        self.ready: list[tuple[int, Piece]] = []
        self.found: list[dict[str, Worst]] = [{} for _ in texts]
        self._labels = encoder.labels
        self._coming = ((place, piece) for place, text in enumerate(texts) for piece in encoder.pieces(text))

    def fill(self, known: Callable[[Sequence[int]], Sequence[float] | None] = lambda _: None) -> None:
        """Cut until `AHEAD` windows wait, or none is left; those that are `known` are done at once."""
        while len(self.ready) < AHEAD and (coming := next(self._coming, None)):
            row = known(coming[1].ids)
            if row is None:
                self.ready.append(coming)
            else:
                self.take(*coming, row)

    def take(self, place: int, piece: Piece, row: Sequence[float]) -> None:
        """Raises `ArithmeticError` for what is no probability: it would be below every threshold, a clean pass."""
        if not all(0 <= score <= 1 for score in row):
            raise ArithmeticError
        best = self.found[place]
        for label, score in zip(self._labels, row, strict=True):
            known = best.get(label)
            # the first of equals, in whatever order they come: a question has one answer
            if known is None or (score, -piece.start) > (known.score, -known.start):
                best[label] = Worst(score, piece.start, piece.end)


Batch = list[tuple[Job, int, Piece]]


def next_batch(jobs: Sequence[Job]) -> Batch:
    """The longest waiting window of the first job, in the company of windows of nearly its length, whosoever they are.

    Every job has a window ready. Padding is at most `NEAR` tokens a window; `BATCH` and `TURN` bound the whole.
    """
    first = jobs[0]
    company = [first] if first.alone else [job for job in jobs if not job.alone]
    width = max(len(piece.ids) for _, piece in first.ready)
    near = [
        (job, place, piece) for job in company for place, piece in job.ready if width - NEAR <= len(piece.ids) <= width
    ]
    near.sort(key=lambda entry: (-len(entry[2].ids), entry[0] is not first))
    batch = near[: max(1, min(BATCH, TURN // width))]
    for job, place, piece in batch:
        job.ready.remove((place, piece))
    return batch


def worst(encoder: Encoder, texts: Sequence[str]) -> list[Mapping[str, Worst]]:
    """For each text and label the window that scores highest; nothing for a text without a token. In this thread."""
    job = Job(0, texts, encoder)
    job.fill()
    while job.ready:
        batch = next_batch([job])
        rows = encoder.scores([piece.ids for _, _, piece in batch])
        for (_, place, piece), row in zip(batch, rows, strict=True):
            job.take(place, piece, row)
        job.fill()
    return list(job.found)


def _digest(ids: Sequence[int]) -> bytes:
    return blake2b(b"".join(number.to_bytes(4, "little") for number in ids), digest_size=16).digest()
