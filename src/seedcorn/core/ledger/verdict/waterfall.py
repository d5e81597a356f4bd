"""What is left of a generation's tokens, step by step: each bar is a subset of the one before it.

Generated, accepted, unique, not explained by the history, right. What was taught and what was paid
are no steps: they have units of their own. Invariant: pure, and a bar that rests on an unknown
figure is unknown, as are all after it but the audited one's share.
"""

from typing import TypedDict

from seedcorn.core.intervals import Bounds, Interval


class Span(TypedDict):
    """A range without a centre."""

    low: float
    high: float


class Waterfall(TypedDict):
    """The bars, in tokens; null where unknown."""

    generated: int
    accepted: int
    unique: Bounds | None
    unexplained: Bounds | None
    """Unique, and nothing that its nearest history explains."""
    right: Span | None
    """Of these, what an audit lets one expect to be right."""


def waterfall(
    generated: int,
    accepted: int,
    unique: Interval | None,
    unexplained: Interval | None,
    precision: Interval | None,
) -> Waterfall:
    """The bars of one generation. `unexplained` is the share of unique tokens that the history does
    not explain, `precision` that of right ones; ends multiply with ends, which only widens."""
    left = unique.times(unexplained) if unique is not None and unexplained is not None else None
    right = left.times(precision) if left is not None and precision is not None else None
    return {
        "generated": generated,
        "accepted": accepted,
        "unique": unique.bounds if unique is not None else None,
        "unexplained": left.bounds if left is not None else None,
        "right": {"low": right.low, "high": right.high} if right is not None else None,
    }
