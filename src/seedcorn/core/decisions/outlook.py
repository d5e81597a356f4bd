"""What further samples or engine-hours would add to a corpus, and to which stratum.

Each stratum is asked what the *whole* amount would add if it alone were drawn, so that strata can
be compared; the row of all strata keeps their present shares. A stratum that a decision stopped is
shown and never recommended. Invariant: nothing here was not said by committed batches; between
generations the policy drifts, which `trend` alone may speak of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypedDict

from seedcorn.core.decisions.yields import (
    UNKNOWN,
    Candidate,
    Soundness,
    best_stratum,
    ranking,
    soundness,
)
from seedcorn.core.errors import SeedcornError
from seedcorn.core.forecast.forecast import Forecast
from seedcorn.core.forecast.prospects import ALL, exclusive_shares, next_samples
from seedcorn.core.intervals import Bounds, Interval
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.ledger.prices import seconds_per_sample, weights_of
from seedcorn.core.sketch.sketch import HEADLINE


@dataclass(frozen=True, slots=True)
class Outlook:
    """One stratum ("" for all in their present shares) and what the amount would add to it."""

    stratum: str
    samples: int
    """What the amount buys in this stratum."""
    forecast: Forecast | None
    """None where the stratum has no sample yet."""
    exclusive: float
    """Share of the stratum's unique content that no other stratum has."""
    seconds_per_sample: float | None
    """Measured: seconds that engines were held, on each device, see `core.ledger.prices`."""
    stopped: bool = False
    """Whether a decision stopped drawing it."""
    tokens: Interval | None = None
    """The forecast in unique tokens; None where they are not the ledger's unit."""
    sound: Soundness = UNKNOWN
    """What of it surely is neither explained nor wrong."""


class StratumOutlook(TypedDict):
    """An `Outlook` as JSON; null where there is no forecast."""

    stratum: str
    samples: int
    estimate: float | None
    low: float | None
    high: float | None
    method: str | None
    exclusive: float
    stopped: bool
    tokens: Bounds | None


class SampleTime(TypedDict):
    """What a sample of a stratum takes."""

    stratum: str
    seconds_per_sample: float | None


class OutlookDocument(TypedDict):
    """What `seedcorn forecast --json` prints."""

    best: str
    ranking: list[str]
    """Strata, the one to draw next first, stopped ones last."""
    strata: list[StratumOutlook]
    measured: list[SampleTime]


def outlooks(
    ledger: Ledger, samples: int | None = None, engine_hours: float | None = None
) -> list[Outlook]:
    """All strata together first, then each. The amount is `samples`, or what `engine_hours` buy.

    Raises SeedcornError when no batch is committed, a sketch is missing, or hours were asked for
    but none measured.
    """
    if not ledger.accounts or not ledger.accounts[-1].batches:
        raise SeedcornError("nothing to forecast from: the newest generation has no batch yet")
    if not ledger.seen:
        raise SeedcornError(
            "nothing to forecast from: a sketch of the newest generation is missing"
        )
    weights = weights_of(ledger.accounts[-1])
    names = ledger.prospects.names
    return [_outlook(ledger, name, weights, samples, engine_hours) for name in names]


def best(found: list[Outlook], per_engine_time: bool) -> str:
    """The best stratum for samples or engine time; empty where there is only one, or none that
    surely adds anything."""
    candidates = [one for one in _candidates(found) if one.low * one.exclusive > 0]
    return best_stratum(candidates, per_engine_time) if len(found) > 2 else ""


def ranked(found: list[Outlook], per_engine_time: bool) -> list[str]:
    """All strata that have a forecast, best first and stopped ones last."""
    return [one.stratum for one in ranking(_candidates(found), per_engine_time)]


def _candidates(found: list[Outlook]) -> list[Candidate]:
    return [
        Candidate(
            one.stratum,
            (one.tokens or one.forecast).low / one.samples,
            one.exclusive,
            one.seconds_per_sample,
            one.sound.share,
            one.stopped,
        )
        for one in found
        if one.stratum != ALL and one.samples and one.forecast is not None
    ]


def _outlook(
    ledger: Ledger,
    name: str,
    weights: Mapping[str, float],
    samples: int | None,
    engine_hours: float | None,
) -> Outlook:
    seconds = seconds_per_sample(ledger.accounts[-1], name)
    if engine_hours is not None:
        if seconds is None:
            raise SeedcornError(
                "engine-hours cannot be forecast: no engine time was measured; ask about samples "
                "instead"
            )
        amount = int(engine_hours * 3600 / seconds)
    else:
        amount = samples or 0
    alone = {ALL: 1.0, **exclusive_shares(ledger.prospects, ledger.history)}
    widen = partial(
        ledger.scores.widening, ledger.accounts[-1].generation, rule=ledger.prospects.rule
    )
    stopped = name != ALL and weights.get(name) == 0
    if name == ALL:
        forecast = next_samples(ledger.prospects, ledger.history, amount, weights, widen)
    else:
        forecast = ledger.prospects.forecast(name, amount, widen=widen(name))
    tokens, sound = _tokens(ledger, name, forecast), _sound(ledger, name)
    return Outlook(name, amount, forecast, alone[name], seconds, stopped, tokens, sound)


def _sound(ledger: Ledger, name: str) -> Soundness:
    newest = ledger.accounts[::-1]
    if newest[0].ledger_unit == 1:
        return UNKNOWN
    audits = (account.audits.get(name) or account.audits.get(ALL) for account in newest)
    return soundness((account.companions for account in newest), audits)


def _tokens(ledger: Ledger, name: str, found: Forecast | None) -> Interval | None:
    """A forecast of the newest generation in unique tokens."""
    books, prospects = ledger.accounts[-1].first_held, ledger.prospects
    if found is None or books is None:
        return None
    novel = ledger.history.novel(prospects.generation, HEADLINE)
    place = prospects.names.index(name)
    sampled = int(novel.strata[place - 1]) if place else novel.total
    unique, stratum = sampled / ledger.history.rate, name if place else None
    worth = books.per_shingle(unique, prospects.samples(name), stratum)
    return worth.tokens(Interval(found.estimate, found.low, found.high), found.samples)


def as_json(found: list[Outlook], per_engine_time: bool) -> OutlookDocument:
    """Plain JSON values. What rests on measured times: `measured`, and, where engine-hours were
    asked about, `best` and the amounts."""
    return {
        "best": best(found, per_engine_time),
        "ranking": ranked(found, per_engine_time),
        "strata": [row_of(one) for one in found],
        "measured": [
            {"stratum": one.stratum, "seconds_per_sample": one.seconds_per_sample} for one in found
        ],
    }


def row_of(one: Outlook) -> StratumOutlook:
    """One stratum's plain values."""
    return {
        "stratum": one.stratum,
        "samples": one.samples,
        "estimate": one.forecast.estimate if one.forecast else None,
        "low": one.forecast.low if one.forecast else None,
        "high": one.forecast.high if one.forecast else None,
        "method": one.forecast.method if one.forecast else None,
        "exclusive": one.exclusive,
        "stopped": one.stopped,
        "tokens": one.tokens.bounds if one.tokens else None,
    }
