"""The part of the ledger document that follows how the plan was cut into batches.

How a generation came about: its curve, forecasts beside what came, alarms, decisions; and what the
next samples and the next generation would add.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypedDict, cast

from seedcorn.core.forecast.forecast import GENERATIONS, trend
from seedcorn.core.forecast.prospects import ALL, Coming, prospects_of
from seedcorn.core.forecast.scores import ForecastScores, batch_of
from seedcorn.core.intervals import Bounds, Interval
from seedcorn.core.ledger.accounts import Account
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.sketch.sketch import HEADLINE


class Point(TypedDict):
    """The generation after a batch; U where a forecast entry recorded it, unique tokens where they
    are the ledger's unit."""

    batch: int
    samples: int
    generated: int
    accepted: int
    counts: dict[str, int]
    unique: Bounds | None
    unique_tokens: Bounds | None


class AlarmNote(TypedDict):
    """See core.ledger.alarms."""

    batch: int
    stratum: str
    name: str
    value: float
    usual: float
    text: str


class DecisionNote(TypedDict):
    """A decision of the log; `value` is free."""

    batch: int
    action: str
    value: dict[str, Any]
    reason: str


class Expectation(Bounds):
    """What a batch was forecast to add, and what came; None where it met no batch."""

    batch: int
    stratum: str
    samples: int
    truth: float | None
    covered: bool | None


class PolicyChange(TypedDict):
    """From this batch on a stratum ("": all) brought more, or less, than was forecast, again and
    again."""

    batch: int
    stratum: str
    side: str


class Course(TypedDict):
    """A generation batch by batch."""

    curve: list[Point]
    forecasts: list[Expectation]
    alarms: list[AlarmNote]
    decisions: list[DecisionNote]
    policy_changes: list[PolicyChange]


class ComingOf(Coming):
    """What the next samples of one stratum, or of all (""), would add, in shingles and in `tokens`
    where those are the ledger's unit."""

    stratum: str
    tokens: Bounds | None


class Expectations(TypedDict):
    """How forecasts fared, and the newest ones."""

    scored: int
    covered: int
    widening: float
    next: list[ComingOf]
    trend: Bounds | None
    """U of the next generation."""
    trend_tokens: Bounds | None
    """Its unique tokens."""
    trend_unknown: str


def course_of(account: Account, scores: ForecastScores) -> Course:
    """How a generation came about so far."""
    return {
        "curve": _curve(account, scores),
        "forecasts": _forecasts(account.generation, scores),
        "alarms": [cast(AlarmNote, asdict(alarm)) for alarm in account.watch.alarms],
        "decisions": [
            {"batch": d.batch, "action": d.action, "value": d.value, "reason": d.reason}
            for d in account.decisions
        ],
        "policy_changes": [
            {"batch": one.batch, "stratum": one.stratum, "side": one.side}
            for one in scores.changes(account.generation)
        ],
    }


def expectations_of(
    rows: Sequence[GenerationRow], scores: ForecastScores, account: Account | None
) -> Expectations:
    """What the newest generation's forecasts say, and the trend over all. `account` are
    that generation's books."""
    newest = rows[-1].generation if rows else 0
    rule = account.ledger_unit if account is not None else 2
    record, strata = scores.record, prospects_of(scores.last(newest))
    # By place, not by number: abandoned generations leave gaps that took no time to grow.
    done = [(place, row) for place, row in enumerate(rows, 1) if row.status == "finished"]
    finished = [(place, row.unique[HEADLINE]) for place, row in done if row.unique]
    tokens = [(place, row.unique_tokens) for place, row in done if row.unique_tokens is not None]
    coming, in_tokens = trend(finished), trend(tokens)
    unknown = f"insufficient history: {len(finished)} of {GENERATIONS} generations"
    return {
        "scored": record.scored,
        "covered": record.covered,
        "widening": max((scores.widening(newest, name, rule) for name in strata), default=1.0),
        "next": [
            {"stratum": name, **ahead, "tokens": next_tokens(account, scores, name)}
            for name, values in sorted(strata.items())
            if (ahead := values["next"]) is not None
        ],
        "trend": coming.bounds if coming is not None else None,
        "trend_tokens": in_tokens.bounds if in_tokens is not None else None,
        "trend_unknown": unknown if coming is None else "",
    }


def next_tokens(account: Account | None, scores: ForecastScores, stratum: str) -> Bounds | None:
    """What the newest forecast of a stratum, or of all (""), comes to in unique tokens."""
    entry = scores.last(account.generation) if account is not None else None
    if account is None or entry is None or account.first_held is None:
        return None
    strata = prospects_of(entry)
    values = strata.get(stratum) or strata[ALL]
    coming = values["next"]
    if coming is None:
        return None
    unique = values["sampled"] / entry.values["rate"]
    worth = account.first_held.per_shingle(unique, values["samples"], stratum or None)
    return worth.tokens(Interval.of(coming), coming["samples"]).bounds


def _curve(account: Account, scores: ForecastScores) -> list[Point]:
    recorded = scores.unique(account.generation)
    return [
        {
            "batch": number,
            "samples": tick.samples,
            "generated": tick.generated,
            "accepted": tick.accepted,
            "counts": tick.counts,
            "unique": found.bounds if (found := recorded.get(number + 1)) is not None else None,
            "unique_tokens": tick.unique.bounds if tick.unique is not None else None,
        }
        for number, tick in enumerate(account.ticks)
    ]


def _forecasts(generation: int, scores: ForecastScores) -> list[Expectation]:
    return [
        {
            "batch": batch_of(prediction),
            "stratum": prediction.stratum,
            "samples": prediction.forecast.samples,
            "estimate": prediction.forecast.estimate,
            "low": prediction.forecast.low,
            "high": prediction.forecast.high,
            "truth": prediction.truth,
            "covered": prediction.covered,
        }
        for prediction in scores.of(generation)
    ]
