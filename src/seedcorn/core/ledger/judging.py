"""What a row of the ledger says that its verdict goes by."""

from typing import Any, cast

from seedcorn.core.intervals import Bounds, Interval
from seedcorn.core.ledger.accounts import FINISHED
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.ledger.verdict.verdict import Findings, Verdict, verdict
from seedcorn.core.sample import Outcome


def verdict_of(row: GenerationRow) -> Verdict:
    """The verdict on a generation."""
    return verdict(findings_of(row), row.limits)


def findings_of(row: GenerationRow) -> Findings:
    """What is known of a generation."""
    found: dict[str, Any] = cast("dict[str, Any]", row.companions or {})
    measured = [str(alarm["text"]) for alarm in found.get("alarms") or ()]
    share = found.get("novel_share")
    return Findings(
        generation=row.generation,
        finished=row.status == FINISHED,
        committed=row.committed,
        accepted=row.counts[Outcome.ACCEPTED.value],
        unique_share=row.unique_share,
        outside_share=_interval(found.get("outside_share")),
        outside_short_share=_interval(found.get("outside_short_share")),
        novel_share=_interval(share["mean"] if share else None),
        order_gap=_interval(found.get("order_gap")),
        worth=_interval(found.get("worth")),
        worth_before=_interval(row.worth_before),
        precision=_interval(row.precision),
        alarms=[*(f"{alarm.stratum}: {alarm.text}" for alarm in row.alarms), *measured],
        withheld=found.get("withheld") or {},
    )


def _interval(bounds: Any) -> Interval | None:
    return Interval.of(cast(Bounds, bounds)) if bounds else None
