"""What engines were paid for, which stratum it went into, and what the next hour would bring.

Everything is paid for for which an engine was held: starting, idle and done twice as well, on each
of its devices. The hours of a generation are split over its strata by slot-seconds, the time that
their samples were in flight; the rest follows pro rata. Shares by tokens would show no difference
between a stratum of slow requests and one of fast ones. Everything here is measured.
"""

from collections.abc import Mapping
from functools import partial
from typing import TypedDict

from seedcorn.core.forecast.prospects import ALL, Prospects, next_samples
from seedcorn.core.forecast.scores import ForecastScores
from seedcorn.core.intervals import Bounds, Interval
from seedcorn.core.ledger.accounts import Account
from seedcorn.core.log.state import MIXING
from seedcorn.core.sample import OUTCOMES
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE


class StratumTimes(TypedDict):
    """What a stratum took. Hours are those of engines times their devices."""

    seconds: float
    """That its samples were in flight."""
    paid_hours: float | None
    unique_tokens_per_paid_hour: float | None


class TimesOfRow(TypedDict):
    """What of a generation rests on clocks, as `GenerationRow` explains it."""

    generation: int
    engine_hours: float
    unique_per_engine_hour: float | None
    next_hour: Bounds | None
    next_hour_tokens: Bounds | None
    engine_time: dict[str, float]
    paid_hours: float | None
    unique_tokens_per_paid_hour: float | None
    strata_times: dict[str, StratumTimes]
    regenerated_tokens: int


class Times(TimesOfRow):
    """With the engine seconds after each batch."""

    curve: list[float]


def paid_hours(account: Account) -> float | None:
    """Hours that engines were held, times their devices. None where some batches do not say what
    their engines did."""
    held = sum(account.engine_time.values())
    known = held > 0 and held >= account.engine_seconds * (1 - 1e-9)
    return account.devices * held / 3600 if known else None


def per_hour(unique: Interval | None, hours: float | None) -> float | None:
    """Unique tokens per hour; None where either is unknown."""
    return unique.estimate / hours if unique is not None and hours else None


def strata_times(account: Account, unique: Mapping[str, Interval]) -> dict[str, StratumTimes]:
    """What each stratum took, in the recipe's order, where all batches say; `unique` are the unique
    tokens of those of which they are known."""
    found: dict[str, StratumTimes] = {}
    for name in account.names:
        share, paid = account.slots.share(name), paid_hours(account)
        if share is not None:
            hours = share * paid if paid is not None else None
            found[name] = {
                "seconds": account.slots.seconds[name],
                "paid_hours": hours,
                "unique_tokens_per_paid_hour": per_hour(unique.get(name), hours),
            }
    return found


def weights_of(account: Account) -> Mapping[str, float]:
    """The strata's weights as the newest decision left them; empty where the recipe's rule."""
    mixes = [d for d in account.decisions if d.action in MIXING]
    return max(mixes, key=lambda decision: decision.batch).value["weights"] if mixes else {}


def seconds_per_sample(account: Account, stratum: str = ALL) -> float | None:
    """What a sample of a stratum takes, or one of all as they are drawn now: seconds that engines
    were held, on each device, busy ones alone where no more is known. Of a stratum whose time in
    flight is not known by its tokens. None where nothing was measured."""
    weights, paid = weights_of(account), paid_hours(account)
    held = account.engine_seconds if paid is None else 3600 * paid
    if not held or not account.samples:
        return None
    if stratum == ALL and sum(weights.values()):
        each = {name: seconds_per_sample(account, name) or 0.0 for name in weights}
        return sum(each[s] * w for s, w in weights.items()) / sum(weights.values()) or None
    row = account.strata.get(stratum)
    samples = sum(row[outcome] for outcome in OUTCOMES) if row is not None else 0
    if row is None or not samples:
        return held / account.samples
    share = account.slots.share(stratum)
    if share is None:
        generated = account.tokens["generated"]
        share = row["generated"] / generated if generated else 0.0
    return held * share / samples or None


def next_hour(
    account: Account, prospects: Prospects, history: History, scores: ForecastScores
) -> tuple[Interval | None, Interval | None]:
    """U that the samples of the next paid hour would add, as strata are drawn now, and the same in
    unique tokens where they are the ledger's unit: a forecast of so many samples, never one of a
    batch scaled up. None where no time was measured, and of a generation that `prospects` are not
    about: it has no next hour."""
    seconds = seconds_per_sample(account)
    if not seconds or account.generation != prospects.generation:
        return None, None
    widen = partial(scores.widening, account.generation, rule=account.ledger_unit)
    samples = max(1, round(3600 / seconds))
    found = next_samples(prospects, history, samples, weights_of(account), widen)
    if found is None:
        return None, None
    shingles, books = Interval(found.estimate, found.low, found.high), account.first_held
    if books is None:
        return shingles, None
    unique = history.novel(account.generation, HEADLINE).total / history.rate
    return shingles, books.per_shingle(unique, account.samples).tokens(shingles, samples)
