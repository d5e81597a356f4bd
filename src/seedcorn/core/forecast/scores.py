"""Forecasts held against what came: a fold over the forecast entries of the log alone.

An entry after n batches says how much U is so far, and what a later batch is expected to add. The
difference of two neighbouring entries is therefore the truth about the batch between them, and the
record needs no sketch. Invariant: a promise is never revised; what was said at the time is scored,
unless what it was said about did not happen: another mix of strata, another sample rate.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from seedcorn.core.forecast.forecast import Forecast
from seedcorn.core.forecast.prospects import ALL
from seedcorn.core.forecast.track_record import Change, Prediction, TrackRecord
from seedcorn.core.intervals import Interval, unique_interval
from seedcorn.core.log.entries import Measurement

_GENERATION_BITS = 40
"""A batch is known to the record as generation << 40 | batch."""
SPREADS = 4.0
"""Standard deviations by which a stratum's samples may miss their share by lot."""


@dataclass(slots=True)
class ForecastScores:
    """All forecasts of one corpus, and how they fared."""

    record: TrackRecord = field(default_factory=TrackRecord)
    _last: dict[int, Measurement] = field(default_factory=dict)
    _terms: dict[int, "_Terms"] = field(default_factory=dict)
    _unique: dict[int, dict[int, Interval]] = field(default_factory=dict)

    def of(self, generation: int) -> list[Prediction]:
        """The generation's forecasts in the order they were made; `batch` is that of the record."""
        return [one for one in self.record if one.batch >> _GENERATION_BITS == generation]

    def last(self, generation: int) -> Measurement | None:
        """The newest forecast entry of a generation."""
        return self._last.get(generation)

    def unique(self, generation: int) -> dict[int, Interval]:
        """U of all strata after so many batches, wherever an entry recorded it."""
        return self._unique.get(generation, {})

    def widening(self, generation: int, stratum: str, rule: int = 2) -> float:
        """By how much the stratum's next forecasts are widened, under a rule of the ledger's unit: by
        its own record in this generation, whose policy is no other's, or by that of all."""
        if rule == 1:
            return self.record.widening()
        return self.record.widening_of(stratum, _number(generation, 0))

    def changes(self, generation: int) -> list[Change]:
        """Where a stratum's source became another one; `batch` counted in the generation."""
        first, end = _number(generation, 0), _number(generation + 1, 0)
        return [one._replace(batch=_batch(one.batch)) for one in self.record.changes(first, end)]

    def apply(self, entry: Measurement) -> None:
        """Fold a forecast entry: settle the batch before it, then note what it promises."""
        generation = int(entry.subject["generation"])
        self._settle(generation, entry)
        governed = _number(generation, int(entry.subject["batch"]))
        if governed not in self._terms:
            self._register(governed, entry)
        self._last[generation] = entry
        found = unique_interval(entry.values["strata"][ALL]["sampled"], entry.values["rate"])
        self._unique.setdefault(generation, {})[int(entry.subject["batches"])] = found

    def _register(self, governed: int, entry: Measurement) -> None:
        # Sorted as in the log: a keeper that made the entry holds the recipe's order, and which
        # scores are the newest must not depend on who folds.
        coming = {
            stratum: values["next"]
            for stratum, values in sorted(entry.values["strata"].items())
            if values["next"] is not None
        }
        for stratum, values in coming.items():
            self.record.register(governed, stratum, Forecast(**values))
        mix = {stratum: float(values["samples"]) for stratum, values in coming.items()}
        self._terms[governed] = _Terms(mix, entry.values["rate"])

    def _settle(self, generation: int, entry: Measurement) -> None:
        before = self._last.get(generation)
        batch = int(entry.subject["batches"]) - 1
        if batch != (int(before.subject["batches"]) if before is not None else 0):
            return  # An entry between is missing: the truth of this batch alone is not known.
        if before is not None and before.values["rate"] != entry.values["rate"]:
            return  # The difference of two samples of all there is would say little of one batch.
        terms = self._terms.get(_number(generation, batch))
        if terms is None or terms.rate != entry.values["rate"]:
            return
        drawn, added = _landed(before, entry, "samples"), _landed(before, entry, "sampled")
        for prediction in self.record.of(_number(generation, batch)):
            wanted, samples = prediction.forecast.samples, drawn[prediction.stratum]
            if samples <= 0 or not wanted / 2 <= samples <= wanted * 2:
                continue
            if prediction.stratum != ALL or terms.kept(drawn):
                truth = added[prediction.stratum] / terms.rate * wanted / samples
                self.record.settle(prediction.batch, prediction.stratum, max(0.0, truth))


@dataclass(frozen=True, slots=True)
class _Terms:
    """What the promises about one batch presume."""

    mix: Mapping[str, float]
    """Samples per stratum."""
    rate: float

    def kept(self, drawn: Mapping[str, float]) -> bool:
        """Whether the strata were drawn as presumed, as far as lots can tell."""
        whole = drawn[ALL] / (self.mix.get(ALL) or drawn[ALL])
        for stratum, samples in drawn.items():
            expected = self.mix.get(stratum, 0.0) * whole
            spread = max(1.0, expected * (1 - expected / drawn[ALL]))
            if abs(samples - expected) > SPREADS * sqrt(spread):
                return False
        return True


def batch_of(prediction: Prediction) -> int:
    """The batch that a promise of `ForecastScores.of` is about, counted in its generation."""
    return _batch(prediction.batch)


def _batch(number: int) -> int:
    return number & ((1 << _GENERATION_BITS) - 1)


def _number(generation: int, batch: int) -> int:
    return generation << _GENERATION_BITS | batch


def _landed(before: Measurement | None, entry: Measurement, figure: str) -> dict[str, float]:
    """What the batch between two entries brought of a figure, by stratum."""
    strata: dict[str, Any] = before.values["strata"] if before is not None else {}
    return {
        stratum: values[figure] - strata.get(stratum, {}).get(figure, 0)
        for stratum, values in entry.values["strata"].items()
    }
