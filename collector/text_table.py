"""Rows as aligned plain text, the same in a terminal, a log and a document."""

from collections.abc import Iterator, Sequence

Row = Sequence[str]


def table(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    """Lines. Columns of texts to the left, of numbers to the right."""
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    numbers = [all(_is_number(row[n]) for row in rows) for n in range(len(head))]
    for row in (head, *rows):
        cells = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, numbers, strict=True)
        )
        yield "  ".join(cells).rstrip()


def _is_number(cell: str) -> bool:
    """Not an id that happens to have no letter."""
    return cell in ("", "-") or (len(cell) < 16 and cell.replace(".", "", 1).isdigit())
