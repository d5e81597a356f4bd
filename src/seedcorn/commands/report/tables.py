"""The report's tables: generations, strata, drop reasons, forecasts, companions, audits.

Invariants: pure; a cell is either a figure of the ledger document, with `value` as the document holds
it, or says that the figure is missing and why, never zero in its place.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from seedcorn.commands.report.words import (
    HEADLINE,
    RHO,
    Bounds,
    Document,
    ending,
    ends,
    number,
    percent,
)

MISSING = "not measured"
OUTCOMES = ("accepted", "duplicate", "rejected", "failed")
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
class Column:
    """A heading, and what stands under it for a row of the document."""

    heading: str
    cell: Callable[[Any], Cell]
    key: str = ""
    """Names the explanation that the heading links to."""
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


def unique_table(document: Document) -> Table:
    """U of whole generations, by shingle length, and what it came from."""
    columns = [
        _GENERATION,
        *(Column(f"U, {n} words", _unique_of(n), "unique") for n in LENGTHS),
        Column("U per token", lambda row: _ratio(row.get("yield_per_token"), "unknown"), "yield"),
        Column("net U", lambda row: _bounded(_headline(row, "net_unique"), "unknown")),
        Column("tokens generated", lambda row: _figure(row["tokens"]["generated"])),
        Column("tokens accepted", lambda row: _figure(row["tokens"]["accepted"])),
    ]
    return _table("unique-table", "Unique tokens by generation", columns, document["generations"])


def sample_table(document: Document) -> Table:
    """What became of a generation's samples, and of the generation."""
    columns = [
        _GENERATION,
        Column("recipe", lambda row: _words(row["recipe"]), words=True),
        Column("ended", lambda row: _words(ending(row)), words=True),
        Column("planned", lambda row: _whole(row["planned"])),
        Column("accepted", _accepted, "accepted"),
        Column("duplicate", _outcome("duplicate"), "duplicates"),
        *(Column(outcome, _outcome(outcome)) for outcome in OUTCOMES[2:]),
        Column("withdrawn", lambda row: _whole(row["withdrawn"]["samples"])),
    ]
    return _table("sample-table", "Samples by generation", columns, document["generations"])


def reason_table(document: Document) -> Table:
    """Why samples were dropped: one row per reason, one column per generation."""
    generations = document["generations"]
    reasons = sorted({reason for row in generations for reason in row.get("reasons") or {}})
    columns = [
        Column("outcome and reason", _words, words=True),
        *(Column(f"gen {row['generation']}", _reason(row)) for row in generations),
    ]
    return _table("reason-table", "Why samples were dropped", columns, reasons)


def strata_table(document: Document) -> Table:
    """One row per generation and stratum."""
    columns = [
        _GENERATION,
        Column("stratum", lambda row: _words(row["stratum"]), words=True),
        Column("accepted", _outcome("accepted"), "accepted"),
        Column("U", lambda row: _bounded(_headline(row, "unique"), "unknown"), "unique"),
        Column("exclusive", lambda r: _bounded(_headline(r, "exclusive"), "unknown"), "exclusive"),
        Column("U per token", lambda row: _ratio(row.get("yield_per_token"), "unknown"), "yield"),
        Column("next samples add", _coming, "forecast"),
        Column(
            "compression",
            lambda row: _figure((row.get("form") or {}).get("compression_ratio")),
            "compression_ratio",
        ),
        Column("openings", lambda row: _share((row.get("form") or {}).get("openings")), "openings"),
    ]
    return _table("strata-table", "What each stratum added", columns, document["strata"])


def forecast_table(document: Document) -> Table:
    """Every forecast beside what came; a row is the generation and the forecast."""
    rows = [(row, one) for row in document["generations"] for one in row.get("forecasts") or []]
    columns = [
        Column("gen", lambda pair: _whole(pair[0]["generation"])),
        Column("batch", lambda pair: _whole(pair[1]["batch"])),
        Column("stratum", lambda pair: _words(pair[1]["stratum"] or "all"), words=True),
        Column("samples", lambda pair: _whole(pair[1]["samples"])),
        Column("forecast", lambda pair: _bounded(pair[1]), "forecast"),
        Column("what came", lambda pair: _figure(pair[1].get("truth"), _waits(pair[0]))),
        Column("inside", _inside, words=True),
    ]
    folded = len(rows) > FEW
    return _table("forecast-table", "Forecasts, and what came", columns, rows, folded)


def companion_table(document: Document) -> Table | None:
    """Companions by generation; None where there are none at all."""
    columns = [
        _GENERATION,
        Column("documents", lambda row: _figure(row["companions"].get("documents"))),
        Column(
            f"{RHO}, mean",
            lambda row: _bounded((row["companions"].get("novel_share") or {}).get("mean")),
            "novel_share",
        ),
        Column("B, bits", lambda row: _bounded(row["companions"].get("novel_bits")), "novel_bits"),
        Column(
            "Γ, bits/byte", lambda row: _bounded(row["companions"].get("order_gap")), "order_gap"
        ),
        Column(
            "ΔA, bits/byte",
            lambda row: _bounded(row["companions"].get("anchor_gain"), "no anchor set"),
            "anchor_gain",
        ),
        Column(
            "compression",
            lambda row: _figure(row["companions"].get("compression_ratio")),
            "compression_ratio",
        ),
        Column("openings", lambda row: _share(row["companions"].get("openings")), "openings"),
        Column("Vendi", lambda row: _figure(row["companions"].get("vendi")), "vendi"),
    ]
    rows = [row for row in document["generations"] if row.get("companions")]
    return _table("companion-table", "Companions of U", columns, rows) if rows else None


def bound_table(document: Document) -> Table:
    """What the counts themselves bound: containment, Good's C, the verifier's bits."""
    columns = [
        _GENERATION,
        Column("contained", _contained, "containment"),
        Column("coverage C", lambda row: _figure(row.get("coverage")), "coverage"),
        Column(
            "information budget, bits",
            lambda row: _figure(row.get("information_budget")),
            "information_budget",
        ),
    ]
    caption = "How much was seen before, and what the checks can tell"
    return _table("bound-table", caption, columns, document["generations"])


def audit_table(document: Document) -> Table | None:
    """Audited precision and truth-adjusted U; None where nothing was audited."""
    columns = [
        _GENERATION,
        Column("audited", lambda row: _whole(row["precision"]["audited"])),
        Column("right", lambda row: _whole(row["precision"]["right"])),
        Column("π", lambda row: _bounded(row["precision"]), "precision"),
        Column("U that is right", _adjusted, "adjusted_unique"),
    ]
    rows = [row for row in document["generations"] if row.get("precision")]
    return _table("audit-table", "Precision of unique content", columns, rows) if rows else None


def _table(
    anchor: str, caption: str, columns: Sequence[Column], rows: Iterable[Any], folded: bool = False
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


_GENERATION = Column("gen", lambda row: _whole(row["generation"]))


def _headline(row: Document, key: str) -> Bounds | None:
    return (row.get(key) or {}).get(HEADLINE)


def _unique_of(length: str) -> Callable[[Document], Cell]:
    return lambda row: _bounded(
        (row.get("unique") or {}).get(length), row.get("unknown") or "unknown"
    )


def _outcome(name: str) -> Callable[[Document], Cell]:
    return lambda row: _whole(row["counts"].get(name, 0))


def _accepted(row: Document) -> Cell:
    cell = _outcome("accepted")(row)
    if not row["committed"]:
        return cell
    return Cell(cell.text, cell.value, percent(cell.value / row["committed"]))


def _reason(row: Document) -> Callable[[str], Cell]:
    return lambda reason: _whole((row.get("reasons") or {}).get(reason, 0))


def _coming(row: Document) -> Cell:
    coming = row.get("next")
    if not coming:
        return _missing("no forecast")
    detail = f"{ends(coming)}, from {coming['samples']:,}"
    return Cell(number(coming["estimate"]), coming["estimate"], detail)


def _waits(row: Document) -> str:
    return "still to come" if row["status"] == "running" else "never came"


def _inside(pair: tuple[Document, Document]) -> Cell:
    covered = pair[1].get("covered")
    if covered is None:
        return _missing(_waits(pair[0]))
    return Cell("yes" if covered else "no", covered)


def _contained(row: Document) -> Cell:
    containment = row.get("containment") or {}
    if not containment.get("shingles"):
        return _missing()
    return _share(containment.get("seen", 0) / containment["shingles"])


def _adjusted(row: Document) -> Cell:
    adjusted = row.get("adjusted_unique")
    if not adjusted:
        return _missing("unknown")
    text = f"{number(adjusted['low'])} to {number(adjusted['high'])}"
    return Cell(text, [adjusted["low"], adjusted["high"]])
