"""The ledger's figures as values: one row per generation, one per stratum.

Every U has a unit, an interval, and an empty mapping in its place where it cannot be told. Measured
times stand in fields of their own, so that what must be equal between two runs can be compared.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypedDict, cast

from seedcorn.core.companions.companions import Companions
from seedcorn.core.forecast.prospects import ALL, Prospect
from seedcorn.core.intervals import Bounds, Interval, unique_interval
from seedcorn.core.ledger.accounts import Account
from seedcorn.core.ledger.alarms import Alarm
from seedcorn.core.ledger.prices import StratumTimes, paid_hours, per_hour, strata_times
from seedcorn.core.ledger.verdict.verdict import Limits
from seedcorn.core.log.entries import Decision
from seedcorn.core.sample import OUTCOMES
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE, LATENT, LENGTHS

Unique = dict[int, Interval]
"""Distinct shingles by shingle length; empty where unknown."""


class Tokens(TypedDict):
    """The engine's, of all of a generation's samples but for the accepted ones."""

    accepted: int
    generated: int
    prompt: int


class Withdrawals(TypedDict):
    """What of a generation was withdrawn."""

    samples: int
    tokens: int


class Short(TypedDict):
    """Accepted documents of fewer than eight words, which are unique only where a three-word
    shingle of theirs is."""

    documents: int
    tokens: int
    unique: float


class UniqueTokens(TypedDict):
    """Null where the ledger's unit is the shingle, as `GenerationRow` explains it."""

    ledger_unit: int
    unique_tokens: Bounds | None
    unique_share: Bounds | None
    short: Short | None
    net_unique_tokens: Bounds | None


class Containment(TypedDict, total=False):
    """Sums over batches; empty where none recorded any."""

    documents: float
    half: float
    """Documents at least half of whose shingles were known."""
    seen: float
    shingles: float


class Audit(Bounds):
    """What an audit found: the share of unique shingles that stand in right documents."""

    drawn: int
    right: int
    documents: int
    auditor: str
    sha256: str
    entries: int


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
    tokens: Tokens
    unit: str
    unique: Unique
    """U: shingles of its accepted samples that no earlier generation and no earlier seed held."""
    unknown: str
    """Why `unique` is empty."""
    yield_per_token: float | None
    """U_8 per accepted token."""
    withdrawn: Withdrawals
    net_unique: Unique
    """U without shingles that only withdrawn samples held."""
    containment: Containment
    engine_hours: float
    """Measured."""
    unique_per_engine_hour: float | None
    """Measured: U_8 per engine-hour."""
    detail: str = ""
    """The sentence behind `reason`."""
    instances: Interval | None = None
    """Distinct latent instances that no earlier generation had; None where no check knows any."""
    companions: Companions | None = None
    """None where they were not measured."""
    precision: Audit | None = None
    """The newest audit of all strata."""
    coverage: float | None = None
    """Good's C, by the newest forecast."""
    next_hour: Interval | None = None
    """Measured: U_8 that the samples of the next paid hour would add, of the newest generation alone:
    no other one has a next hour."""
    marked: dict[str, int] = field(default_factory=dict)
    """Accepted samples whose text still holds a marker of a trace, by family of markers."""
    engine_time: dict[str, float] = field(default_factory=dict)
    """Measured: seconds that engines were alive, by what they went into (core.scheduling.goodput)."""
    alarms: tuple[Alarm, ...] = ()
    decisions: tuple[Decision, ...] = ()
    worth_before: Bounds | None = None
    """W of the generation before it that stands."""
    limits: Limits = field(default_factory=Limits)
    """Of its verdict (`core.ledger.judging`)."""
    ledger_unit: int = 1
    """What the ledger counts (core.rule_numbers): shingles (1), so that all below is unknown, or
    unique tokens (2)."""
    unique_tokens: Interval | None = None
    """Of its accepted samples' tokens those that nothing before holds."""
    unique_share: Interval | None = None
    """Unique tokens per token of its accepted samples' texts."""
    short: Short | None = None
    net_unique_tokens: Interval | None = None
    """Without what withdrawn samples had brought."""
    next_hour_tokens: Interval | None = None
    """Measured: `next_hour` in unique tokens."""
    paid_hours: float | None = None
    """Measured: hours that engines were held, times their devices; None where not all is known."""
    unique_tokens_per_paid_hour: float | None = None
    """Measured: the price, net of withdrawals."""
    strata_times: dict[str, StratumTimes] = field(default_factory=dict)
    """Measured: what each stratum took; empty where no batch says."""
    regenerated_tokens: int = 0
    """Measured: of work that was done twice and counts for nothing."""


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
    precision: Audit | None = None
    """The newest audit of this stratum."""
    ledger_unit: int = 1
    unique_tokens: Interval | None = None
    unique_share: Interval | None = None
    short: Short | None = None
    net_unique_tokens: Interval | None = None
    """These as those of the generation; strata do not overlap in them."""


def generation_row(
    account: Account,
    history: History,
    unknown: str,
    net_unknown: str,
    prospect: Prospect | None = None,
    before: Account | None = None,
) -> GenerationRow:
    """The row of one generation; U is withheld where `unknown` says why. `prospect`: what the
    newest forecast entry says of all strata together; `before`: the generation before it."""
    unique = {} if unknown else _totals(account, history, net=False)
    tokens, withdrawn = account.tokens, account.withdrawn
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
        tokens={
            "accepted": tokens["accepted"],
            "generated": tokens["generated"],
            "prompt": tokens["prompt"],
        },
        unit=account.unit,
        unique=unique,
        unknown=unknown,
        yield_per_token=_ratio(unique, tokens["accepted"]),
        withdrawn={"samples": withdrawn["samples"], "tokens": withdrawn["tokens"]},
        net_unique={} if net_unknown else _totals(account, history, net=True),
        containment=cast(Containment, dict(sorted(account.containment.items()))),
        engine_hours=hours,
        unique_per_engine_hour=_ratio(unique, hours),
        detail=account.detail,
        instances=_instances(account, history) if not unknown else None,
        # As the log holds them: what measured them vouches for their keys.
        companions=cast("Companions | None", account.companions),
        precision=_audit(account, ALL),
        coverage=prospect["coverage"] if prospect is not None else None,
        marked=dict(sorted(account.marked.items())),
        engine_time=account.engine_time,
        alarms=tuple(account.watch.alarms),
        decisions=tuple(account.decisions),
        worth_before=_worth(before),
        limits=account.limits,
        **_first_held(account, None),
        **_prices(account),
        regenerated_tokens=account.regenerated_tokens,
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
                precision=_audit(account, name),
                **_first_held(account, name),
            )
        )
    return rows


def _worth(account: Account | None) -> Bounds | None:
    found = account.companions if account is not None else None
    return found.get("worth") if found else None


class _Prices(TypedDict):
    paid_hours: float | None
    unique_tokens_per_paid_hour: float | None
    strata_times: dict[str, StratumTimes]


def _prices(account: Account) -> _Prices:
    """What was paid, and what for: net of what was withdrawn."""
    books, hours = account.first_held, paid_hours(account)
    net = {name: books.net(name) for name in books.whole} if books is not None else {}
    return {
        "paid_hours": hours,
        "unique_tokens_per_paid_hour": per_hour(books.net() if books else None, hours),
        "strata_times": strata_times(account, net),
    }


class _FirstHeld(TypedDict, total=False):
    ledger_unit: int
    unique_tokens: Interval
    unique_share: Interval | None
    short: Short
    net_unique_tokens: Interval


def _first_held(account: Account, stratum: str | None) -> _FirstHeld:
    """Unique tokens of one stratum, or of all; nothing where they are not the unit."""
    books = account.first_held
    if books is None:
        return {}
    sums, unique = books.sums(stratum), books.unique(stratum)
    own = sums.get("own", 0.0)
    return {
        "ledger_unit": account.ledger_unit,
        "unique_tokens": unique,
        "unique_share": Interval(*(end / own for end in unique)) if own else None,
        "short": {
            "documents": int(sums.get("short", 0)),
            "tokens": int(sums.get("short_own", 0)),
            "unique": sums.get("short_tokens", 0.0),
        },
        "net_unique_tokens": books.net(stratum),
    }


def _audit(account: Account, stratum: str) -> Audit | None:
    return cast("Audit | None", account.audits.get(stratum))


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
