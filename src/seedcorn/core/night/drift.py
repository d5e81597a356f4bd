"""One night's figure held against the nights before it.

Invariant: what is called usual is where a figure like the earlier ones would fall 19 times in 20,
and never less than a twentieth of their mean to either side: planted or lucky evenness of a few
nights must not make every next one stand out. A figure that is an estimate itself has moved only
where its whole interval has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from seedcorn.core.intervals import students_t

NIGHTS = 7
"""Nights that a figure is held against: a week."""
ENOUGH = 3
"""Nights below which nothing is called usual."""
SLACK = 0.05
"""Share of the mean by which a figure may always differ."""
RISE, FALL, USUAL, UNKNOWN = "rose", "fell", "usual", "unknown"


@dataclass(frozen=True, slots=True)
class Drift:
    """A figure, the mean of the nights before, the ends of the usual, and which side it is on."""

    value: float
    mean: float | None
    low: float | None
    high: float | None
    nights: int
    verdict: str
    """rose | fell | usual | unknown"""


def against(
    value: float, earlier: Sequence[float], own: tuple[float, float] | None = None
) -> Drift:
    """`earlier` in order; the newest 7 count. What is usual is a prediction interval for one more
    of the same (normal theory, Student's t). `own` are the ends of the value's own interval."""
    values = list(earlier)[-NIGHTS:]
    if not values:
        return Drift(value, None, None, None, 0, UNKNOWN)
    mean = fmean(values)
    if len(values) < ENOUGH:
        return Drift(value, mean, None, None, len(values), UNKNOWN)
    half = max(
        students_t(len(values) - 1) * stdev(values) * sqrt(1 + 1 / len(values)), SLACK * abs(mean)
    )
    low, high = mean - half, mean + half
    least, most = own if own is not None else (value, value)
    verdict = FALL if most < low else RISE if least > high else USUAL
    return Drift(value, mean, low, high, len(values), verdict)
