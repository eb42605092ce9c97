"""Several groupings in one reading: SQL around `GROUPING SETS`."""

from collections.abc import Sequence


def grouped(by: Sequence[str], *further: str) -> str:
    """GROUP BY each column of `by` for itself, and by each of `further`, a list of columns."""
    return f"GROUP BY GROUPING SETS ({', '.join(f'({columns})' for columns in (*by, *further))})"


def which(by: Sequence[str]) -> str:
    """The column of `by` that a row is of: 'rule'. Empty for a set with none of them, or with more than one."""
    # a bit for each column, the first the highest: 0 for the one that is in the set. Asked for once: the statement is
    # read in two thirds of the time that it takes where each bit is asked for
    every = 2 ** len(by) - 1
    bits = [every - 2 ** (len(by) - 1 - place) for place in range(len(by))]
    return f"transform(grouping({', '.join(by)}), {bits}, {list(by)}, '')"


def value(by: Sequence[str]) -> str:
    """What that column is there; a column that is not of the row's set is empty."""
    return f"toString(concat({', '.join(by)}))"
