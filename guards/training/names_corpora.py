# ruff: noqa: SIM905  words read better as words
"""Sentences in which people marked names, and source code in which there are none: read where they lie."""

import ast
import re
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from zlib import crc32

from .names_text import Text, from_pieces
from .names_words import TITLES

KINDS = {
    "person": "PERSON", "per": "PERSON", "location": "LOCATION", "loc": "LOCATION", "corporation": "ORGANIZATION",
    "group": "ORGANIZATION", "org": "ORGANIZATION", "organization": "ORGANIZATION",
}  # fmt: skip
ROLES = frozenset(
    "borrower lender bank buyer seller company executive employee landlord tenant agent lessor lessee guarantor holder "
    "purchaser trustee lenders borrowers parent licensee licensor consultant employer stockholder".split()
)
"""Parties of an agreement, which the corpus marks as persons."""
NO_TITLE = frozenset(title.lower().strip(".") for title in [*TITLES, "lord", "madam", "master", "aunt", "uncle"])
_CREDIT = re.compile(r"(?i)author|copyright|contribut|@|thanks|written by|maintain|suggested by|posted")
_NOT_READ = re.compile("test|idlelib|turtledemo|site-packages|lib2to3|ensurepip|__pycache__|_sysconfigdata")
_glue_left = re.compile(r"[,.;:!?%)\]}]|'s|n't|'m|'re|'ve|'ll|'d|\u2019s")
_glue_right = re.compile(r"[(\[{$#@]")

Row = tuple[str, str]


def sentences(data: Path) -> list[Text]:
    """Every marked sentence of the corpora below `data`, in a fixed order."""
    texts = [
        *_read(data / "wnut17" / "wnut17train.conll", 1),
        *_read(data / "wnut17" / "emerging.dev.conll", 1),
        *(text for part in "abegh" for text in _read(data / "broad_twitter" / f"{part}.conll", 1)),
        *_read(data / "sec_filings" / "FIN5.txt", 3),
        *_read(data / "sec_filings" / "FIN3.txt", 3),
        *_read(data / "litbank_names" / "names.bio.tsv", 1),
    ]
    return [text for text in texts if text.text.strip()]


def is_measured(name: str) -> bool:
    """Whether a text (by its content) or a module (by its name) is kept out of training, to be measured on."""
    return crc32(name.encode("utf-8", "replace")) % 10 == 0


def code(*, measured: bool = False) -> Iterator[str]:
    """Pieces of the standard library's own sources, and its docstrings: capitals and dots, and nobody's name."""
    for path, source in _modules(measured=measured):
        lines = source.splitlines()
        for at in range(0, len(lines), 6):
            piece = "\n".join(lines[at : at + 6]).strip()
            if len(piece) > 40 and not _CREDIT.search(piece) and (at // 6 + crc32(path.name.encode())) % 5 == 0:
                yield piece


def docstrings(*, measured: bool = False) -> Iterator[str]:
    """Paragraph by paragraph."""
    for _, source in _modules(measured=measured):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                for paragraph in (ast.get_docstring(node) or "").split("\n\n"):
                    if len(paragraph) > 30 and not _CREDIT.search(paragraph):
                        yield paragraph


def _modules(*, measured: bool) -> Iterator[tuple[Path, str]]:
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted([*library.glob("*.py"), *library.glob("[a-z]*/*.py")]):
        at = path.relative_to(library).as_posix()
        if not _NOT_READ.match(at) and is_measured(at) == measured:
            yield path, path.read_text("utf-8", "replace")


def _read(path: Path, column: int) -> Iterator[Text]:
    rows: list[Row] = []
    for line in path.read_text("utf-8").splitlines():
        cells = line.split("\t") if "\t" in line else line.split(" ")
        if len(cells) > column and cells[0].strip() and cells[0] != "-DOCSTART-":
            rows.append((cells[0], cells[column].strip()))
        elif rows:
            yield _text(rows)
            rows = []
    if rows:
        yield _text(rows)


def _text(rows: Iterable[Row]) -> Text:
    """Words put together again as people write them: no blank before a comma."""
    pieces: list[tuple[str, str]] = []
    last, label = "", ""
    for word, tag in rows:
        kind = KINDS.get(tag[2:].lower(), "")
        if (kind == "PERSON" and word.lower().strip(".") in NO_TITLE | ROLES) or not re.search(r"\w", word):
            kind = kind if re.search(r"\w", word) is None and label == kind else ""
        goes_on = bool(kind) and kind == label and not tag.startswith("B")
        blank = "" if not pieces or _glue_left.match(word) or _glue_right.fullmatch(last[-1:]) else " "
        if goes_on:
            pieces[-1] = (pieces[-1][0] + blank + word, kind)
        else:
            pieces += [(blank, ""), (word, kind)]
        last, label = word, kind
    return from_pieces(pieces)
