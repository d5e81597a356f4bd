"""The running totals that the main chart draws: tokens and unique tokens after every batch.

Generations share no unique shingle, so their curves add up to one. Invariant: every point is a
figure of the document plus the totals of the generations before it; a generation whose U is unknown
has no points, and says why.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import hypot
from typing import NamedTuple

from seedcorn.commands.report.words import (
    half_width,
    next_of_all,
    number,
    with_ends,
)
from seedcorn.core.ledger.document import Generation, LedgerDocument
from seedcorn.core.ledger.measures import added_by, headline_coming, headline_point


@dataclass(frozen=True, slots=True)
class Point:
    """The running totals after a batch."""

    batch: int
    tokens: float
    unique: float
    half: float
    """Half the 95 % interval of `unique`."""
    label: str
    """What the point says when touched."""


@dataclass(frozen=True, slots=True)
class Run:
    """One generation's stretch of the curve; `points` start at the totals before it."""

    generation: int
    points: Sequence[Point]
    end: float
    """Generated tokens after it."""
    missing: str = ""
    """Why it has no points."""


class Ahead(NamedTuple):
    """Where the next samples lead."""

    samples: int
    centre: Point
    low: float
    high: float


def running(generations: Sequence[Generation]) -> Iterator[Run]:
    """Each generation's stretch, on top of those before it."""
    tokens, unique, half = 0.0, 0.0, 0.0
    for row in generations:
        end, total = tokens + row["tokens"]["generated"], added_by(row)
        if total is None:
            yield Run(row["generation"], (), end, row["unknown"] or "its U is unknown")
        else:
            start = Point(-1, tokens, unique, half, f"before generation {row['generation']}")
            yield Run(row["generation"], [start, *_points(row, start)], end)
            unique, half = unique + total["estimate"], hypot(half, half_width(total))
        tokens = end


def _points(row: Generation, start: Point) -> Iterator[Point]:
    """The batches whose U is known, and the whole generation where its last batch's is not."""
    known = [
        (one["batch"], one["samples"], one["generated"], unique)
        for one in row["curve"]
        if (unique := headline_point(one)) is not None
    ]
    whole = added_by(row)
    if whole is not None and (not known or known[-1][1] < row["committed"]):
        last = len(row["curve"]) - 1
        known.append((last, row["committed"], row["tokens"]["generated"], whole))
    for batch, _, generated, unique in known:
        where = f", batch {batch}" if batch >= 0 else ""
        yield Point(
            batch,
            start.tokens + generated,
            start.unique + unique["estimate"],
            hypot(start.half, half_width(unique)),
            f"generation {row['generation']}{where}: {with_ends(unique)} unique of "
            f"{number(generated)} tokens",
        )


def cone_of(document: LedgerDocument, last: Point) -> Iterator[Ahead]:
    """Where the next samples lead after the last generation's, nearest horizon first."""
    row = document["generations"][-1]
    if not row["committed"]:
        return
    per_sample = row["tokens"]["generated"] / row["committed"]
    for one in next_of_all(document):
        coming = headline_coming(one)
        label = f"next {one['samples']:,} samples: {with_ends(coming)} more"
        tokens = last.tokens + one["samples"] * per_sample
        centre = Point(-1, tokens, last.unique + coming["estimate"], 0.0, label)
        low, high = last.unique + coming["low"], last.unique + coming["high"]
        yield Ahead(one["samples"], centre, low, high)
