"""How earlier forecasts did: every one is scored when its batch lands.

Under rule 1 of the ledger's unit all strata are judged together and never forgotten; under rule 2
each by its own newest forecasts, so that one whose source changed widens nobody else's.

Invariant: a promise is scored once, against the interval that was printed; whether intervals need
widening is judged on the unwidened ones, so that widening does not undo itself.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import NamedTuple

from seedcorn.core.forecast.forecast import Forecast

ENOUGH = 20
"""Scored forecasts below which their coverage says nothing."""
REQUIRED_COVERAGE = 0.9
"""Coverage below which intervals are widened; they aim at .95."""
AIM = 0.95
MORE, LESS = "more", "less"
"""Sides on which a truth can miss its interval."""
NEWEST = 400
"""Scored forecasts that widening looks at: early misses are forgotten, and a batch costs the same
after any number of batches."""
RECENT = 40
"""The same for one stratum."""
IN_A_ROW = 5
"""Misses in a row on one side that are no chance any more: the policy is another one."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One forecast and what became of it."""

    batch: int
    """The batch it is about."""
    stratum: str
    forecast: Forecast
    truth: float | None = None
    """Unique fingerprints that the batch added; None until it landed."""

    @property
    def covered(self) -> bool | None:
        """Whether the truth lies in the printed interval; None while it is unknown."""
        if self.truth is None:
            return None
        return self.forecast.low <= self.truth <= self.forecast.high

    @property
    def side(self) -> str:
        """MORE or LESS where it brought that than the printed interval said; empty where it holds."""
        if self.truth is None or self.covered:
            return ""
        return MORE if self.truth > self.forecast.high else LESS

    @property
    def miss(self) -> float:
        """Distance of truth and estimate, in half-widths of the unwidened interval on its side.

        A side without width counts as one fingerprint wide.
        """
        if self.truth is None:
            return 0.0
        estimate, error = self.forecast.estimate, self.truth - self.forecast.estimate
        side = self.forecast.high - estimate if error > 0 else estimate - self.forecast.low
        return abs(error) / (side / self.forecast.widen or 1.0)


class Change(NamedTuple):
    """From `batch` on a stratum brought `side` than was forecast, time after time."""

    batch: int
    stratum: str
    side: str


@dataclass(slots=True)
class TrackRecord:
    """Forecasts by (batch, stratum); "" is the whole generation.

    `batch` is a number that names the batch in the whole corpus, or in one generation where a
    record is kept for each.
    """

    _predictions: dict[tuple[int, str], Prediction] = field(default_factory=dict)
    _strata: dict[int, list[str]] = field(default_factory=dict)
    _settled: dict[str, list[int]] = field(default_factory=dict)
    """Batches by stratum, in the order in which they were settled."""
    _misses: deque[float] = field(default_factory=lambda: deque(maxlen=NEWEST))
    scored: int = 0
    """Forecasts whose batch landed."""
    covered: int = 0
    """Of those, how many had the truth in their interval."""

    def __iter__(self) -> Iterator[Prediction]:
        """All promises, in the order they were made."""
        return iter(self._predictions.values())

    def of(self, batch: int) -> list[Prediction]:
        """The promises about one batch, in the order they were made."""
        return [self._predictions[batch, stratum] for stratum in self._strata.get(batch, ())]

    def register(self, batch: int, stratum: str, forecast: Forecast) -> None:
        """Record a forecast; raises ValueError if this batch and stratum have one."""
        if (batch, stratum) in self._predictions:
            raise ValueError(f"batch {batch}, stratum {stratum!r} was forecast before")
        self._predictions[batch, stratum] = Prediction(batch, stratum, forecast)
        self._strata.setdefault(batch, []).append(stratum)

    def settle(self, batch: int, stratum: str, truth: float) -> Prediction | None:
        """Score the forecast of a batch that landed; None if there was none.

        Raises ValueError if it was settled before: a batch counts once.
        """
        found = self._predictions.get((batch, stratum))
        if found is None:
            return None
        if found.truth is not None:
            raise ValueError(f"batch {batch}, stratum {stratum!r} was settled before")
        settled = self._predictions[batch, stratum] = replace(found, truth=truth)
        self._misses.append(settled.miss)
        self._settled.setdefault(stratum, []).append(batch)
        self.scored += 1
        self.covered += settled.covered is True
        return settled

    def widening(self) -> float:
        """The factor for the half-widths of the next forecasts; 1 while the record is good.

        From 20 scored forecasts on, if fewer than 90 % of the newest 400 unwidened intervals held:
        the factor that would have covered 95 % of them.
        """
        return _factor(self._misses)

    def widening_of(self, stratum: str, since: int) -> float:
        """The same for one stratum, by its newest 40 forecasts about batches from `since` on."""
        newest = [batch for batch in self._settled.get(stratum, ())[-RECENT:] if batch >= since]
        return _factor([self._predictions[batch, stratum].miss for batch in newest])

    def changes(self, since: int, until: int) -> list[Change]:
        """Where in [since, until) five or more printed intervals of a stratum in a row were missed on
        one side."""
        found = []
        for stratum, batches in sorted(self._settled.items()):
            scored = [self._predictions[b, stratum] for b in batches if since <= b < until]
            for side, run in groupby(scored, key=lambda one: one.side):
                missed = list(run)
                if side and len(missed) >= IN_A_ROW:
                    found.append(Change(missed[0].batch, stratum, side))
        return sorted(found, key=lambda one: one.batch)


def _factor(misses: Iterable[float]) -> float:
    ranked = sorted(misses)
    within = sum(miss <= 1 for miss in ranked)
    if len(ranked) < ENOUGH or within >= REQUIRED_COVERAGE * len(ranked):
        return 1.0
    return max(1.0, ranked[math.ceil(AIM * len(ranked)) - 1])


def change_line(change: Change) -> str:
    """A change of policy, for a person."""
    name = change.stratum or "all strata together"
    return (
        f"policy changed at batch {change.batch}: {name} brought {change.side} than was forecast, "
        f"{IN_A_ROW} batches in a row or more"
    )
