"""Forecasts held against what came: a fold over the forecast entries of the log alone.

An entry after n batches says how much U is so far, and what a later batch is expected to add. The
difference of two neighbouring entries is therefore the truth about the batch between them, and the
record needs no sketch. Invariant: a promise is never revised; what was said at the time is scored.
"""

from typing import Any

from seedcorn.core.entries import Measurement
from seedcorn.core.forecast import Forecast
from seedcorn.core.intervals import Interval, unique_interval
from seedcorn.core.track_record import Promise, TrackRecord

_GENERATION_BITS = 40
"""A batch is known to the record as generation << 40 | batch."""


class Promises:
    """All forecasts of one corpus, and how they fared."""

    def __init__(self) -> None:
        """Nothing promised."""
        self.record = TrackRecord()
        self._last: dict[int, Measurement] = {}
        self._unique: dict[int, dict[int, Interval]] = {}

    def of(self, generation: int) -> list[Promise]:
        """The generation's forecasts in the order they were made; `batch` is that of the record."""
        return [one for one in self.record if one.batch >> _GENERATION_BITS == generation]

    def last(self, generation: int) -> Measurement | None:
        """The newest forecast entry of a generation."""
        return self._last.get(generation)

    def unique(self, generation: int) -> dict[int, Interval]:
        """U of all strata after so many batches, wherever an entry recorded it."""
        return self._unique.get(generation, {})

    def apply(self, entry: Measurement) -> None:
        """Fold a forecast entry: settle the batch before it, then note what it promises."""
        generation = int(entry.subject["generation"])
        self._settle(generation, entry)
        governed = _number(generation, int(entry.subject["batch"]))
        known = {promise.stratum for promise in self.record.of(governed)}
        for stratum, values in entry.values["strata"].items():
            if values["next"] is not None and stratum not in known:
                self.record.promise(governed, stratum, Forecast(**values["next"]))
        self._last[generation] = entry
        found = unique_interval(entry.values["strata"][""]["sampled"], entry.values["rate"])
        self._unique.setdefault(generation, {})[int(entry.subject["batches"])] = found

    def _settle(self, generation: int, entry: Measurement) -> None:
        before = self._last.get(generation)
        batch = int(entry.subject["batches"]) - 1
        if batch != (int(before.subject["batches"]) if before is not None else 0):
            return  # An entry between is missing: the truth of this batch alone is not known.
        for promise in self.record.of(_number(generation, batch)):
            truth = _added(before, entry, promise)
            if truth is not None:
                self.record.settle(promise.batch, promise.stratum, truth)


def batch_of(promise: Promise) -> int:
    """The batch that a promise of `Promises.of` is about, counted in its generation."""
    return promise.batch & ((1 << _GENERATION_BITS) - 1)


def _number(generation: int, batch: int) -> int:
    return generation << _GENERATION_BITS | batch


def _added(before: Measurement | None, entry: Measurement, promise: Promise) -> float | None:
    """What the batch between two entries added, per the number of samples that was promised for:
    how many of a batch a stratum gets is drawn by lot."""
    values = entry.values["strata"][promise.stratum]
    earlier: dict[str, Any] = {"samples": 0, "sampled": 0}
    rate = 1.0
    if before is not None:
        earlier, rate = before.values["strata"][promise.stratum], before.values["rate"]
    samples = values["samples"] - earlier["samples"]
    if samples <= 0:
        return None
    unique = values["sampled"] / entry.values["rate"] - earlier["sampled"] / rate
    return max(0.0, unique) * promise.forecast.samples / samples
