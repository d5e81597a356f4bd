"""The report's tables of generations, strata, drop reasons and forecasts.

Invariant: pure; every figure is one of the ledger document's.
"""

from seedcorn.commands.report.cells import (
    Cell,
    Column,
    Table,
    bounded,
    figure,
    missing,
    ratio,
    share,
    whole,
    words,
)
from seedcorn.commands.report.words import Document, ending, ends, number, percent

OUTCOMES = ("accepted", "duplicate", "rejected", "failed")
LENGTHS = ("8", "3", "13")
"""Shingle lengths, the headline first: it is what a phone shows."""
FEW = 8
"""Rows that a table may have beside a chart before it is folded."""
_COUNT_KEYS = {"accepted": "accepted", "duplicate": "duplicates"}


def unique_table(document: Document) -> Table:
    """U of whole generations, by shingle length, and what it came from."""
    columns = [
        Column("gen"),
        *(Column(f"U, {n} words", "unique") for n in LENGTHS),
        Column("U per token", "yield"),
        Column("net U"),
        Column("tokens generated"),
        Column("tokens accepted"),
    ]
    rows = [_unique(row) for row in document["generations"]]
    return Table("unique-table", "Unique tokens by generation", columns, rows)


def sample_table(document: Document) -> Table:
    """What became of a generation's samples, and of the generation."""
    counts = [Column(outcome, _COUNT_KEYS.get(outcome, "")) for outcome in OUTCOMES]
    columns = [
        Column("gen"),
        Column("recipe", words=True),
        Column("ended", words=True),
        Column("planned"),
        *counts,
        Column("withdrawn"),
    ]
    rows = [_samples(row) for row in document["generations"]]
    return Table("sample-table", "Samples by generation", columns, rows)


def reason_table(document: Document) -> Table:
    """Why samples were dropped: one row per reason, one column per generation."""
    generations = document["generations"]
    reasons = sorted({reason for row in generations for reason in row.get("reasons") or {}})
    columns = [
        Column("outcome and reason", words=True),
        *(Column(f"gen {row['generation']}") for row in generations),
    ]
    rows = [
        [words(reason), *(whole((row.get("reasons") or {}).get(reason, 0)) for row in generations)]
        for reason in reasons
    ]
    return Table("reason-table", "Why samples were dropped", columns, rows)


def strata_table(document: Document) -> Table:
    """One row per generation and stratum."""
    columns = [
        Column("gen"),
        Column("stratum", words=True),
        Column("accepted", "accepted"),
        Column("U", "unique"),
        Column("exclusive", "exclusive"),
        Column("U per token", "yield"),
        Column("next samples add", "forecast"),
        Column("compression", "compression_ratio"),
        Column("openings", "openings"),
    ]
    rows = [_stratum(row) for row in document["strata"]]
    return Table("strata-table", "What each stratum added", columns, rows)


def forecast_table(document: Document) -> Table:
    """Every forecast beside what came."""
    columns = [
        Column("gen"),
        Column("batch"),
        Column("stratum", words=True),
        Column("samples"),
        Column("forecast", "forecast"),
        Column("what came"),
        Column("inside", words=True),
    ]
    rows = [
        _forecast(row, one) for row in document["generations"] for one in row.get("forecasts") or []
    ]
    caption = "Forecasts, and what came"
    return Table("forecast-table", caption, columns, rows, folded=len(rows) > FEW)


def _unique(row: Document) -> list[Cell]:
    unknown, unique = row.get("unknown") or "unknown", row.get("unique") or {}
    return [
        whole(row["generation"]),
        *(bounded(unique.get(length), unknown) for length in LENGTHS),
        ratio(row.get("yield_per_token"), "unknown"),
        bounded((row.get("net_unique") or {}).get("8"), "unknown"),
        figure(row["tokens"]["generated"]),
        figure(row["tokens"]["accepted"]),
    ]


def _samples(row: Document) -> list[Cell]:
    counts = [whole(row["counts"].get(outcome, 0)) for outcome in OUTCOMES]
    if row["committed"]:
        part = percent(row["counts"].get("accepted", 0) / row["committed"])
        counts[0] = Cell(counts[0].text, counts[0].value, part)
    return [
        whole(row["generation"]),
        words(row["recipe"]),
        words(ending(row)),
        whole(row["planned"]),
        *counts,
        whole(row["withdrawn"]["samples"]),
    ]


def _stratum(row: Document) -> list[Cell]:
    unique, exclusive = ((row.get(key) or {}).get("8") for key in ("unique", "exclusive"))
    form, coming = row.get("form") or {}, row.get("next")
    added = missing("no forecast")
    if coming:
        detail = f"{ends(coming)}, from {coming['samples']:,}"
        added = Cell(number(coming["estimate"]), coming["estimate"], detail)
    return [
        whole(row["generation"]),
        words(row["stratum"]),
        whole(row["counts"].get("accepted", 0)),
        bounded(unique, "unknown"),
        bounded(exclusive, "unknown"),
        ratio(row.get("yield_per_token"), "unknown"),
        added,
        figure(form.get("compression_ratio")),
        share(form.get("openings")),
    ]


def _forecast(row: Document, one: Document) -> list[Cell]:
    covered = one.get("covered")
    waits = "still to come" if row["status"] == "running" else "never came"
    return [
        whole(row["generation"]),
        whole(one["batch"]),
        words(one["stratum"] or "all"),
        whole(one["samples"]),
        bounded(one),
        figure(one.get("truth"), waits),
        missing(waits) if covered is None else Cell("yes" if covered else "no", covered),
    ]
