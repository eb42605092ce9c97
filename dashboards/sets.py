"""Several groupings in one reading: SQL around `GROUPING SETS`."""

from collections.abc import Sequence


def grouped(by: Sequence[str], *further: str) -> str:
    """GROUP BY each column of `by` for itself, and by each of `further`, a list of columns."""
    return f"GROUP BY GROUPING SETS ({', '.join(f'({columns})' for columns in (*by, *further))})"


def which(by: Sequence[str]) -> str:
    """The column of `by` that a row is of: 'rule'. A further set is told by the first of them that it has."""
    bits = f"grouping({', '.join(by)})"  # the first is the highest; 1 for one that is not in the set
    has = (f"NOT bitTest({bits}, {len(by) - 1 - place}), '{column}'" for place, column in enumerate(by))
    return f"multiIf({', '.join(has)}, '')"


def value(by: Sequence[str]) -> str:
    """What that column is there; a column that is not of the row's set is empty."""
    return f"toString(concat({', '.join(by)}))"
