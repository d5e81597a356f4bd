"""The report's tables of companions and audits: figures beside U that say what U cannot.

Invariant: as for all tables; what was not measured says so and how to measure it.
"""

from seedcorn.commands.report.cells import (
    Cell,
    Column,
    Table,
    bounded,
    figure,
    missing,
    share,
    whole,
)
from seedcorn.commands.report.words import RHO, Document, number


def companion_table(document: Document) -> Table | None:
    """Companions by generation; None where there are none at all."""
    columns = [
        Column("gen"),
        Column("documents"),
        Column(f"{RHO}, mean", "novel_share"),
        Column("B, bits", "novel_bits"),
        Column("Γ, bits/byte", "order_gap"),
        Column("ΔA, bits/byte", "anchor_gain"),
        Column("compression", "compression_ratio"),
        Column("openings", "openings"),
        Column("Vendi", "vendi"),
    ]
    rows = [_companions(row) for row in document["generations"] if row.get("companions")]
    return Table("companion-table", "Companions of U", columns, rows) if rows else None


def bound_table(document: Document) -> Table:
    """What the counts themselves bound: containment, Good's C, the verifier's bits."""
    columns = [
        Column("gen"),
        Column("contained", "containment"),
        Column("coverage C", "coverage"),
        Column("information budget, bits", "information_budget"),
    ]
    rows = [
        [
            whole(row["generation"]),
            share(_contained(row)),
            figure(row.get("coverage")),
            figure(row.get("information_budget")),
        ]
        for row in document["generations"]
    ]
    return Table(
        "bound-table", "How much was seen before, and what the checks can tell", columns, rows
    )


def audit_table(document: Document) -> Table | None:
    """Audited precision and truth-adjusted U; None where nothing was audited."""
    rows = [_audit(row) for row in document["generations"] if row.get("precision")]
    columns = [
        Column("gen"),
        Column("audited"),
        Column("right"),
        Column("π", "precision"),
        Column("U that is right", "adjusted_unique"),
    ]
    return Table("audit-table", "Precision of unique content", columns, rows) if rows else None


def _companions(row: Document) -> list[Cell]:
    held = row["companions"]
    return [
        whole(row["generation"]),
        figure(held.get("documents")),
        bounded((held.get("novel_share") or {}).get("mean")),
        bounded(held.get("novel_bits")),
        bounded(held.get("order_gap")),
        bounded(held.get("anchor_gain"), "no anchor set"),
        figure(held.get("compression_ratio")),
        share(held.get("openings")),
        figure(held.get("vendi")),
    ]


def _contained(row: Document) -> float | None:
    containment = row.get("containment") or {}
    if not containment.get("shingles"):
        return None
    return containment.get("seen", 0) / containment["shingles"]


def _audit(row: Document) -> list[Cell]:
    found, adjusted = row["precision"], row.get("adjusted_unique")
    span = missing("unknown")
    if adjusted:
        text = f"{number(adjusted['low'])} to {number(adjusted['high'])}"
        span = Cell(text, [adjusted["low"], adjusted["high"]])
    return [
        whole(row["generation"]),
        whole(found["audited"]),
        whole(found["right"]),
        bounded(found),
        span,
    ]
