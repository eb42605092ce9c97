"""How sure one can be of a share, and of the difference of two: 95 % intervals."""

from math import sqrt

Z = 1.959963984540054
"""The 97.5 % point of the normal distribution."""

Interval = tuple[float, float]


def wilson(count: float, of: float) -> Interval:
    """Of the share behind `count` of `of`; (0, 1) of nothing. Wilson's score interval, not continuity-corrected."""
    if of <= 0:
        return 0.0, 1.0
    share = count / of
    middle = share + Z * Z / (2 * of)
    spread = Z * sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    whole = 1 + Z * Z / of
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def newcombe(count_a: float, of_a: float, count_b: float, of_b: float) -> Interval:
    """Of share B minus share A, from Wilson's intervals of both (Newcombe 1998, method 10); (-1, 1) of nothing."""
    if of_a <= 0 or of_b <= 0:
        return -1.0, 1.0
    a, b = count_a / of_a, count_b / of_b
    (low_a, high_a), (low_b, high_b) = wilson(count_a, of_a), wilson(count_b, of_b)
    return (
        b - a - sqrt((b - low_b) ** 2 + (high_a - a) ** 2),
        b - a + sqrt((high_b - b) ** 2 + (a - low_a) ** 2),
    )
