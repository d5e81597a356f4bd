"""What further samples or engine-hours would add to a corpus, and which stratum deserves them.

Each stratum is asked what the *whole* amount would add if it alone were drawn, so that strata can
be compared; the row of all strata keeps their present shares. A stratum that a decision stopped is
shown and never recommended. Invariant: nothing here was not said by committed batches; between
generations the policy drifts, which `trend` alone may speak of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seedcorn.core.errors import SeedcornError
from seedcorn.core.forecast.forecast import Forecast
from seedcorn.core.forecast.prospects import ALL, Amount, exclusive_shares
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.log.state import MIXING


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
    """Measured: engine seconds, shared out by tokens."""
    stopped: bool = False
    """Whether a decision stopped drawing it."""

    @property
    def worth(self) -> float:
        """Unique tokens that nobody else has, at the lower end, per engine-second or per sample."""
        if self.forecast is None or not self.samples:
            return 0.0
        cost = self.samples * (self.seconds_per_sample or 1.0)
        return self.forecast.low * self.exclusive / cost


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
    weights = _decided(ledger)
    names = ledger.prospects.names
    return [_outlook(ledger, name, weights, samples, engine_hours) for name in names]


def best(found: list[Outlook]) -> str:
    """The stratum that surely adds most for its cost; empty where there is only one."""
    strata = [one for one in found if one.stratum != ALL and one.worth > 0 and not one.stopped]
    ranked = max(strata, key=lambda one: (one.worth, one.stratum), default=None)
    return ranked.stratum if ranked is not None and len(found) > 2 else ""


def _decided(ledger: Ledger) -> Mapping[str, float]:
    """The strata's weights as the newest decision left them; empty where the recipe's rule."""
    mixes = [d for d in ledger.accounts[-1].decisions if d.action in MIXING]
    return max(mixes, key=lambda decision: decision.batch).value["weights"] if mixes else {}


def _outlook(
    ledger: Ledger,
    name: str,
    weights: Mapping[str, float],
    samples: int | None,
    engine_hours: float | None,
) -> Outlook:
    seconds = _seconds_per_sample(ledger, name, weights)
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
    widen, stopped = ledger.promises.record.widening(), name != ALL and weights.get(name) == 0
    if name == ALL and weights:
        total = sum(weights.values())
        amounts = {s: Amount(round(amount * w / total), 0) for s, w in weights.items() if total}
        forecast = ledger.prospects.mixed(amounts, alone, widen)
    else:
        forecast = ledger.prospects.forecast(name, amount, widen=widen)
    return Outlook(name, amount, forecast, alone[name], seconds, stopped)


def _seconds_per_sample(ledger: Ledger, name: str, weights: Mapping[str, float]) -> float | None:
    account, prospects = ledger.accounts[-1], ledger.prospects
    if not account.engine_seconds or not account.tokens["generated"]:
        return None
    if name == ALL and sum(weights.values()):
        each = {s: _seconds_per_sample(ledger, s, {}) or 0.0 for s in weights}
        return sum(each[s] * w for s, w in weights.items()) / sum(weights.values()) or None
    if not prospects.samples(name):
        return account.engine_seconds / account.samples
    per_token = account.engine_seconds / account.tokens["generated"]
    return per_token * prospects.tokens(name) / prospects.samples(name) or None


def as_json(found: list[Outlook]) -> dict[str, Any]:
    """Plain JSON values. What rests on measured times: `measured`, `best`, which weighs what a
    sample costs, and the amounts where engine-hours were asked about."""
    return {
        "best": best(found),
        "strata": [
            {
                "stratum": one.stratum,
                "samples": one.samples,
                "estimate": one.forecast.estimate if one.forecast else None,
                "low": one.forecast.low if one.forecast else None,
                "high": one.forecast.high if one.forecast else None,
                "method": one.forecast.method if one.forecast else None,
                "exclusive": one.exclusive,
                "stopped": one.stopped,
            }
            for one in found
        ],
        "measured": [
            {"stratum": one.stratum, "seconds_per_sample": one.seconds_per_sample} for one in found
        ],
    }
