"""What a table of the report is made of.

Invariant: a cell is either a figure of the document, with `value` as the document holds it, or says
that the figure is missing and why, never zero in its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seedcorn.commands.report.words import Bounds, ends, number, percent

MISSING = "not measured"


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure: what is read, and the document's own value; `missing` says it is not there."""

    text: str
    value: Any = None
    detail: str = ""
    """A second, quieter line: the interval."""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A heading; `key` names the explanation it links to."""

    heading: str
    key: str = ""
    words: bool = False
    """Left-aligned text instead of figures."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns; the caption says what the rows are."""

    anchor: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    folded: bool = False
    """Shown when asked for: a chart above it says the same."""
    kind: str = "table"


def missing(why: str = MISSING) -> Cell:
    """A figure that is not there."""
    return Cell(why, missing=True)


def figure(value: float | None, why: str = MISSING) -> Cell:
    """A bare number."""
    return missing(why) if value is None else Cell(number(value), value)


def whole(value: int) -> Cell:
    """A count, in full."""
    return Cell(f"{value:,}", value)


def ratio(value: float | None, why: str = MISSING) -> Cell:
    """Three decimals."""
    return missing(why) if value is None else Cell(f"{value:.3f}", value)


def share(value: float | None, why: str = MISSING) -> Cell:
    """A share as per cent."""
    return missing(why) if value is None else Cell(percent(value), value)


def words(text: str) -> Cell:
    """Text of the document."""
    return Cell(text, text)


def bounded(bounds: Bounds | None, why: str = MISSING) -> Cell:
    """An estimate with its interval under it."""
    if not bounds:
        return missing(why)
    return Cell(number(bounds["estimate"]), bounds["estimate"], ends(bounds))
