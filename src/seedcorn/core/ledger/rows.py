"""The ledger's figures as values: one row per generation, one per stratum.

Every U has a unit, an interval, and an empty mapping in its place where it cannot be told. Measured
times stand in fields of their own, so that what must be equal between two runs can be compared.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seedcorn.core.intervals import Interval, unique_interval
from seedcorn.core.ledger.accounts import OUTCOMES, Account
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE, LATENT, LENGTHS

Unique = dict[int, Interval]
"""Distinct shingles by shingle length; empty where unknown."""


@dataclass(frozen=True, slots=True)
class GenerationRow:
    """What one generation added. Tokens are the engine's completion tokens."""

    generation: int
    recipe: str
    status: str
    """running | finished"""
    reason: str
    """Why it finished."""
    planned: int
    committed: int
    """Samples that have an outcome: the sum of `counts`."""
    counts: dict[str, int]
    reasons: dict[str, int]
    duplicates: dict[str, int]
    """By `<exact|near>:<of>`."""
    tokens: dict[str, int]
    """accepted | generated | prompt"""
    unit: str
    unique: Unique
    """U: shingles of its accepted samples that no earlier generation and no earlier seed held."""
    unknown: str
    """Why `unique` is empty."""
    yield_per_token: float | None
    """U_8 per accepted token."""
    withdrawn: dict[str, int]
    """samples | tokens"""
    net_unique: Unique
    """U without shingles that only withdrawn samples held."""
    containment: dict[str, float]
    """Sums over its batches."""
    engine_hours: float
    """Measured."""
    unique_per_engine_hour: float | None
    """Measured: U_8 per engine-hour."""
    detail: str = ""
    """The sentence behind `reason`."""
    instances: Interval | None = None
    """Distinct latent instances that no earlier generation had; None where no check knows any."""
    companions: dict[str, Any] | None = None
    """As core.companions.companions gives them; None where they were not measured."""
    precision: dict[str, Any] | None = None
    """The newest audit of all strata: estimate, low, high, drawn, right."""
    next_hour: Interval | None = None
    """Measured: U_8 that the next engine-hour would add, by the newest forecast."""
    engine_time: dict[str, float] = field(default_factory=dict)
    """Measured: seconds that engines were alive, by what they went into (core.ledger.goodput)."""


@dataclass(frozen=True, slots=True)
class StratumRow:
    """What one stratum added. Strata overlap: their U do not sum, their exclusive parts do not
    cover the total."""

    generation: int
    stratum: str
    counts: dict[str, int]
    tokens: int
    """Of accepted samples."""
    unit: str
    unique: Unique
    exclusive: Unique
    """The part of U that no other stratum of the generation has."""
    net_unique: Unique
    """Shingles of U that some accepted sample of any stratum still holds after withdrawals."""
    yield_per_token: float | None


def generation_row(
    account: Account,
    history: History,
    unknown: str,
    net_unknown: str,
    prospect: Mapping[str, Any] | None = None,
) -> GenerationRow:
    """The row of one generation; U is withheld where `unknown` says why. `prospect`: what the
    newest forecast entry says of all strata together."""
    unique = {} if unknown else _totals(account, history, net=False)
    tokens = {key: account.tokens[key] for key in ("accepted", "generated", "prompt")}
    hours = account.engine_seconds / 3600
    return GenerationRow(
        generation=account.generation,
        recipe=account.recipe,
        status=account.status,
        reason=account.reason,
        planned=account.planned,
        committed=sum(account.counts.values()),
        counts=_outcomes(account.counts),
        reasons=dict(sorted(account.reasons.items())),
        duplicates=account.duplicates,
        tokens=tokens,
        unit=account.unit,
        unique=unique,
        unknown=unknown,
        yield_per_token=_ratio(unique, tokens["accepted"]),
        withdrawn={key: account.withdrawn[key] for key in ("samples", "tokens")},
        net_unique={} if net_unknown else _totals(account, history, net=True),
        containment=dict(sorted(account.containment.items())),
        engine_hours=hours,
        unique_per_engine_hour=_ratio(unique, hours),
        detail=account.detail,
        instances=_instances(account, history) if not unknown else None,
        companions=account.companions,
        precision=account.audits.get(""),
        next_hour=_next_hour(account, prospect),
        engine_time=account.engine_time,
    )


def stratum_rows(
    account: Account, history: History, unknown: str, net_unknown: str
) -> list[StratumRow]:
    """The rows of one generation's strata, in the recipe's order."""
    gross = {} if unknown else {n: history.novel(account.generation, n) for n in LENGTHS}
    net = {} if net_unknown else {n: history.novel(account.generation, n, True) for n in LENGTHS}
    rows = []
    for number, name in enumerate(account.names):
        counts = account.strata.get(name, Counter())
        unique = {n: _interval(found.strata[number], history) for n, found in gross.items()}
        rows.append(
            StratumRow(
                generation=account.generation,
                stratum=name,
                counts=_outcomes(counts),
                tokens=counts["tokens"],
                unit=account.unit,
                unique=unique,
                exclusive={n: _interval(f.exclusive[number], history) for n, f in gross.items()},
                net_unique={n: _interval(f.strata[number], history) for n, f in net.items()},
                yield_per_token=_ratio(unique, counts["tokens"]),
            )
        )
    return rows


def _next_hour(account: Account, prospect: Mapping[str, Any] | None) -> Interval | None:
    coming = prospect["next"] if prospect is not None else None
    if not coming or not coming["samples"] or not account.engine_seconds or not account.samples:
        return None
    per_hour = 3600 * account.samples / account.engine_seconds / coming["samples"]
    return Interval(*(per_hour * coming[end] for end in ("estimate", "low", "high")))


def _instances(account: Account, history: History) -> Interval | None:
    found = history.novel(account.generation, LATENT).total
    return _interval(found, history) if account.constructed else None


def _totals(account: Account, history: History, net: bool) -> Unique:
    found = {n: history.novel(account.generation, n, net).total for n in LENGTHS}
    return {n: _interval(total, history) for n, total in found.items()}


def _interval(sampled: int, history: History) -> Interval:
    return unique_interval(int(sampled), history.rate)


def _outcomes(counts: Counter[str]) -> dict[str, int]:
    return {outcome: counts[outcome] for outcome in OUTCOMES}


def _ratio(unique: Unique, by: float) -> float | None:
    return unique[HEADLINE].estimate / by if unique and by else None
