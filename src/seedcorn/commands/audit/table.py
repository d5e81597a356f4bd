"""An audited precision as a table."""

from rich.table import Table

from seedcorn.commands.views.output import figures
from seedcorn.core.measure.audits import AuditDraw, Precision


def precision_table(draw: AuditDraw, found: Precision, auditor: str) -> Table:
    """One row: what was judged, by whom, and what share of it is right."""
    table = figures("gen", "stratum", "fingerprints", "right", "samples", "precision", "by", left=2)
    interval = found.interval
    table.add_row(
        str(draw.generation),
        draw.stratum or "(all)",
        f"{found.drawn:,}",
        f"{found.right:,}",
        f"{found.documents:,}",
        f"{interval.estimate:.3f} ({interval.low:.3f} to {interval.high:.3f})",
        auditor,
    )
    return table
