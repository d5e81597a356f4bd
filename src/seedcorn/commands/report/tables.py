"""The report's tables: generations, strata, drop reasons, forecasts, companions, audits.

Invariants: pure; a cell is either a figure of the ledger document, with `value` as the document holds
it, or says that the figure is missing and why, never zero in its place.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from seedcorn.commands.report.expected import Made, forecasts_of
from seedcorn.commands.report.words import ending, ends, number
from seedcorn.core.companions.companions import Companions
from seedcorn.core.figures import percent
from seedcorn.core.intervals import Bounds
from seedcorn.core.ledger.document import (
    Generation,
    LedgerDocument,
    Stratum,
)
from seedcorn.core.ledger.measures import (
    BOUNDS,
    COMPANIONS,
    Measure,
    headline_unique,
    headline_yield,
    in_tokens,
    net_headline,
)
from seedcorn.core.ledger.rows import Audit

Row = TypeVar("Row")
MISSING = "not measured"
LENGTHS = ("8", "3", "13")
"""Shingle lengths, the headline first: it is what a phone shows."""
FEW = 8
"""Rows that a table may have beside a chart before it is folded."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure: what is read, and the document's own value; `missing` says it is not there."""

    text: str
    value: Any = None
    detail: str = ""
    """A second, quieter line: the interval."""
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """A heading, and what stands under it for a row of the document."""

    heading: str
    cell: Callable[[Row], Cell]
    key: str = ""
    """Names the explanation that the heading links to."""
    words: bool = False
    """Left-aligned text instead of figures."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under columns; the caption says what the rows are."""

    anchor: str
    caption: str
    columns: Sequence[Column[Any]]
    rows: Sequence[Sequence[Cell]]
    folded: bool = False
    """Shown when asked for: a chart above it says the same."""
    kind: str = "table"


def unique_table(document: LedgerDocument) -> Table:
    """What whole generations added, U by shingle length, and what it came from."""
    columns: list[Column[Generation]] = [
        Column("gen", _generation),
        *_in_tokens(document["generations"]),
        *(Column(f"U, {n} words", _unique_of(n), "unique") for n in LENGTHS),
        Column("per token", lambda row: _ratio(headline_yield(row), "unknown"), "yield"),
        Column("after withdrawals", lambda row: _bounded(net_headline(row), "unknown")),
        Column("tokens generated", lambda row: _figure(row["tokens"]["generated"])),
        Column("tokens accepted", lambda row: _figure(row["tokens"]["accepted"])),
    ]
    return _table("unique-table", "Unique tokens by generation", columns, document["generations"])


def _in_tokens(rows: Sequence[Generation] | Sequence[Stratum]) -> list[Column[Any]]:
    """Unique tokens, where they are the ledger's unit."""
    if not any(in_tokens(row) for row in rows):
        return []
    return [
        Column(
            "unique tokens", lambda row: _bounded(row["unique_tokens"], "unknown"), "unique_tokens"
        )
    ]


def sample_table(document: LedgerDocument) -> Table:
    """What became of a generation's samples, and of the generation."""
    columns: list[Column[Generation]] = [
        Column("gen", _generation),
        Column("recipe", lambda row: _words(row["recipe"]), words=True),
        Column("ended", lambda row: _words(ending(row)), words=True),
        Column("planned", lambda row: _whole(row["planned"])),
        Column("accepted", _accepted, "accepted"),
        Column("duplicate", lambda row: _whole(row["counts"]["duplicate"]), "duplicates"),
        Column("rejected", lambda row: _whole(row["counts"]["rejected"])),
        Column("failed", lambda row: _whole(row["counts"]["failed"])),
        Column("withdrawn", lambda row: _whole(row["withdrawn"]["samples"])),
    ]
    return _table("sample-table", "Samples by generation", columns, document["generations"])


def reason_table(document: LedgerDocument) -> Table:
    """Why samples were dropped: one row per reason, one column per generation."""
    generations = document["generations"]
    reasons = sorted({reason for row in generations for reason in row["reasons"]})
    columns: list[Column[str]] = [
        Column("outcome and reason", _words, words=True),
        *(Column(f"gen {row['generation']}", _reason(row)) for row in generations),
    ]
    return _table("reason-table", "Why samples were dropped", columns, reasons)


def strata_table(document: LedgerDocument) -> Table:
    """One row per generation and stratum."""
    columns: list[Column[Stratum]] = [
        Column("gen", _generation),
        Column("stratum", lambda row: _words(row["stratum"]), words=True),
        Column("accepted", lambda row: _whole(row["counts"]["accepted"]), "accepted"),
        *_in_tokens(document["strata"]),
        Column("U", lambda row: _bounded(headline_unique(row["unique"]), "unknown"), "unique"),
        Column(
            "exclusive",
            lambda row: _bounded(headline_unique(row["exclusive"]), "unknown"),
            "exclusive",
        ),
        Column("per token", lambda row: _ratio(headline_yield(row), "unknown"), "yield"),
        Column("next samples add", _coming, "forecast"),
        Column(
            "compression", lambda r: _figure(_form(r, "compression_ratio")), "compression_ratio"
        ),
        Column("openings", lambda row: _share(_form(row, "openings")), "openings"),
    ]
    return _table("strata-table", "What each stratum added", columns, document["strata"])


def forecast_table(document: LedgerDocument) -> Table:
    """Every forecast beside what came."""
    rows = forecasts_of(document)
    columns: list[Column[Made]] = [
        Column("gen", lambda made: _generation(made.row)),
        Column("batch", lambda made: _whole(made.one["batch"])),
        Column("stratum", lambda made: _words(made.one["stratum"] or "all"), words=True),
        Column("samples", lambda made: _whole(made.one["samples"])),
        Column("forecast", lambda made: _bounded(made.one), "forecast"),
        Column("actual", lambda made: _figure(made.one["truth"], made.unscored)),
        Column("inside", _inside, words=True),
    ]
    folded = len(rows) > FEW
    return _table("forecast-table", "Forecasts and actual values", columns, rows, folded)


def companion_table(document: LedgerDocument) -> Table | None:
    """Companions by generation; None where there are none at all."""
    rows = [(row, found) for row in document["generations"] if (found := row["companions"])]
    columns: list[Column[tuple[Generation, Companions]]] = [
        Column("gen", lambda pair: _generation(pair[0])),
        Column("documents", lambda pair: _figure(pair[1].get("documents"))),
        *(
            Column(measure.heading, lambda pair, m=measure: _measured(m, pair[1]), measure.key)
            for measure in COMPANIONS
        ),
    ]
    return _table("companion-table", "Companions of U", columns, rows) if rows else None


def bound_table(document: LedgerDocument) -> Table:
    """What the counts themselves bound: containment, Good's C, the verifier's bits."""
    columns: list[Column[Generation]] = [
        Column("gen", _generation),
        *(
            Column(measure.heading, lambda row, m=measure: _measured(m, row), measure.key)
            for measure in BOUNDS
        ),
    ]
    caption = "How much was seen before, and what the checks can tell"
    return _table("bound-table", caption, columns, document["generations"])


def audit_table(document: LedgerDocument) -> Table | None:
    """Audited precision and truth-adjusted U; None where nothing was audited."""
    rows = [(row, found) for row in document["generations"] if (found := row["precision"])]
    columns: list[Column[tuple[Generation, Audit]]] = [
        Column("gen", lambda pair: _generation(pair[0])),
        Column("audited", lambda pair: _whole(pair[1]["drawn"])),
        Column("right", lambda pair: _whole(pair[1]["right"])),
        Column("π", lambda pair: _bounded(pair[1]), "precision"),
        Column("U that is right", lambda pair: _adjusted(pair[0]), "adjusted_unique"),
    ]
    return _table("audit-table", "Precision of unique content", columns, rows) if rows else None


def _table(
    anchor: str,
    caption: str,
    columns: Sequence[Column[Row]],
    rows: Iterable[Row],
    folded: bool = False,
) -> Table:
    cells = [[column.cell(row) for column in columns] for row in rows]
    return Table(anchor, caption, columns, cells, folded)


def _missing(why: str = MISSING) -> Cell:
    return Cell(why, missing=True)


def _figure(value: float | None, why: str = MISSING) -> Cell:
    return _missing(why) if value is None else Cell(number(value), value)


def _whole(value: int) -> Cell:
    """A count, in full."""
    return Cell(f"{value:,}", value)


def _ratio(value: float | None, why: str = MISSING) -> Cell:
    return _missing(why) if value is None else Cell(f"{value:.3f}", value)


def _share(value: float | None, why: str = MISSING) -> Cell:
    return _missing(why) if value is None else Cell(percent(value), value)


def _words(text: str) -> Cell:
    return Cell(text, text)


def _bounded(bounds: Bounds | None, why: str = MISSING) -> Cell:
    """An estimate with its interval under it."""
    if not bounds:
        return _missing(why)
    return Cell(number(bounds["estimate"]), bounds["estimate"], ends(bounds))


def _measured(measure: Measure[Row, Bounds] | Measure[Row, float], row: Row) -> Cell:
    value = measure.value(row)
    if value is None:
        return _missing(measure.missing)
    if isinstance(value, dict):
        return _bounded(value)
    return _share(value) if measure.share else _figure(value)


def _generation(row: Generation | Stratum) -> Cell:
    return _whole(row["generation"])


def _unique_of(length: str) -> Callable[[Generation], Cell]:
    return lambda row: _bounded(row["unique"].get(length), row["unknown"] or "unknown")


def _accepted(row: Generation) -> Cell:
    accepted, committed = row["counts"]["accepted"], row["committed"]
    return Cell(f"{accepted:,}", accepted, percent(accepted / committed) if committed else "")


def _reason(row: Generation) -> Callable[[str], Cell]:
    return lambda reason: _whole(row["reasons"].get(reason, 0))


def _form(row: Stratum, name: str) -> float | None:
    return (row["form"] or {}).get(name)


def _coming(row: Stratum) -> Cell:
    coming = row["next"]
    if not coming:
        return _missing("no forecast")
    shown = row.get("next_tokens") or coming
    detail = f"{ends(shown)}, from {coming['samples']:,}"
    return Cell(number(shown["estimate"]), shown["estimate"], detail)


def _inside(made: Made) -> Cell:
    covered = made.one["covered"]
    if covered is None:
        return _missing(made.unscored)
    return Cell("yes" if covered else "no", covered)


def _adjusted(row: Generation) -> Cell:
    adjusted = row["adjusted_unique"]
    if not adjusted:
        return _missing("unknown")
    text = f"{number(adjusted['low'])} to {number(adjusted['high'])}"
    return Cell(text, [adjusted["low"], adjusted["high"]])
