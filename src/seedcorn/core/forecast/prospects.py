"""What the open generation's next batches would add: one fold per stratum, and one for all.

After each committed batch `Prospects` says what the batch that is decided on next would add. It
counts *verified* documents, duplicates included, so that dedup does not hide a saturated template.
The samples of one prompt are one document (`rule_numbers.group_size`).
Invariant: a forecast is a function of committed batches and of how they were cut; the measurement
that records it can be recomputed from log and sketches.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.forecast.evidence import Evidence
from seedcorn.core.forecast.forecast import Forecast, coverage, forecast
from seedcorn.core.forecast.occupancy import Occupancy
from seedcorn.core.intervals import Bounds
from seedcorn.core.log.entries import BatchCommitted, Measurement
from seedcorn.core.log.state import FORECAST, GenerationState
from seedcorn.core.sample import OUTCOMES
from seedcorn.core.scheduling.leasing import Cut
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE, Delta

ALL = ""
"""Name under which all strata together stand."""
SUMMED = "sum of strata"
"""Method of a forecast for all strata whose mix has changed: see `Prospects.mixed`."""


class Coming(Bounds):
    """A forecast as the log holds it."""

    samples: int
    method: str
    widen: float


class Prospect(TypedDict):
    """What a forecast entry says of a stratum: what was found so far, and what is to come."""

    samples: int
    tokens: int
    sampled: int
    """Unique fingerprints of the hash sample."""
    exclusive: float
    """Unique tokens that no other stratum has."""
    coverage: float | None
    next: Coming | None
    """None where there is no forecast, or nothing is to be drawn."""


Mix = Callable[[int], Mapping[str, float]]
"""Shares of the strata in a batch."""


class Prospects:
    """Occupancies of one generation's novel fingerprints, whole and per stratum.

    Memory: at most about 60 MB for the whole generation and each stratum of several.
    """

    def __init__(
        self, generation: int = 0, strata: Sequence[str] = (), group: int = 1, rule: int = 2
    ) -> None:
        """Nothing so far; `strata` in the recipe's order. `group` neighbouring samples are one
        document; `rule` is the number of the ledger's unit."""
        self.generation, self._strata = generation, tuple(strata)
        self.rule, self._group = rule, group
        # One stratum is the whole: two tables would say the same.
        self._names = (ALL, *strata) if len(strata) > 1 else (ALL,)
        self._tables = {name: Occupancy() for name in self._names}
        self._samples = dict.fromkeys(self._names, 0)
        self._tokens = dict.fromkeys(self._names, 0)
        self._curves: dict[str, list[tuple[int, float]]] = {name: [] for name in self._names}

    @property
    def names(self) -> tuple[str, ...]:
        """All strata together (""), then each stratum."""
        return (ALL, *self._strata)

    def samples(self, name: str) -> int:
        """Samples of the stratum that have an outcome."""
        return self._samples[self._key(name)]

    def tokens(self, name: str) -> int:
        """Completion tokens of those samples."""
        return self._tokens[self._key(name)]

    def add(self, batch: BatchCommitted, delta: Delta, history: History) -> None:
        """Fold one batch whose delta `history` already holds, at the history's rate."""
        rows = delta.rows(HEADLINE)
        fresh = np.flatnonzero(history.fresh(delta.hash[rows], HEADLINE, self.generation))
        columns = {
            name: getattr(delta, name)[rows][fresh]
            for name in ("hash", "verified", "accepted", "first", "stratum")
        }
        document = (batch.first_index + columns["first"].astype(np.int64)) // self._group
        novel = history.novel(self.generation, HEADLINE)
        for name in self._names:
            number = -1 if name == ALL else self._strata.index(name)
            of = slice(None) if name == ALL else columns["stratum"] == number
            self._tables[name].add(
                columns["hash"][of],
                columns["verified"][of],
                columns["accepted"][of],
                document[of],
                history.rate,
            )
            counts = batch.counts if name == ALL else batch.strata.get(name, {})
            self._samples[name] += sum(counts.get(outcome, 0) for outcome in OUTCOMES)
            self._tokens[name] += (
                batch.tokens.get("generated", 0) if name == ALL else counts.get("generated", 0)
            )
            unique = novel.total if name == ALL else int(novel.strata[number])
            self._curves[name].append((self._samples[name], unique / history.rate))

    def evidence(self, name: str) -> Evidence:
        """What the stratum's documents so far say about its next ones."""
        key = self._key(name)
        curve = tuple((-(-n // self._group), unique) for n, unique in self._curves[key])
        return self._tables[key].evidence(-(-self._samples[key] // self._group), curve)

    def forecast(self, name: str, more: int, skip: int = 0, widen: float = 1.0) -> Forecast | None:
        """What `more` samples of the stratum add after `skip` further ones; see core.forecast.forecast."""
        ahead = (more / self._group, skip / self._group)
        found = forecast(self.evidence(name), *ahead, widen, self.rule)
        return replace(found, samples=more) if found is not None else None

    def mixed(
        self,
        amounts: Mapping[str, "Amount"],
        alone: Mapping[str, float],
        widen: Callable[[str], float],
    ) -> Forecast | None:
        """What all strata add in another mix than they were drawn in: the documents of both mixes
        are no one sample, those of each stratum are.

        `alone`: the share of each stratum's unique content that no other stratum has, which is what
        its estimate and its low end count by; the high end lets strata add all of theirs. None
        where a stratum that is to be drawn never was, or nothing is to be drawn. `widen`: each
        stratum's factor.
        """
        wanted = {name: amount for name, amount in amounts.items() if amount.samples}
        found = {name: self.forecast(name, *a, widen(name)) for name, a in wanted.items()}
        parts = [(alone.get(name, 1.0), each) for name, each in found.items() if each is not None]
        if len(parts) < len(found) or not parts:
            return None
        return Forecast(
            samples=sum(amount.samples for amount in wanted.values()),
            estimate=sum(share * each.estimate for share, each in parts),
            low=sum(share * each.low for share, each in parts),
            high=sum(each.high for _, each in parts),
            method=SUMMED,
            widen=max(each.widen for _, each in parts),
        )

    def snapshot(self) -> dict[str, NDArray]:
        """Arrays by name, equal for equal folds."""
        arrays: dict[str, NDArray] = {"generation": np.array([self.generation])}
        for number, name in enumerate(self._names):
            arrays[f"{number}.counts"] = np.array([self._samples[name], self._tokens[name]])
            arrays[f"{number}.curve"] = np.array(self._curves[name], np.float64).ravel()
            table = self._tables[name].snapshot()
            arrays |= {f"{number}.table.{column}": values for column, values in table.items()}
        return arrays

    def restore(self, arrays: Mapping[str, NDArray]) -> None:
        """Take over what `snapshot` described, of the same generation and strata."""
        for number, name in enumerate(self._names):
            samples, tokens = arrays[f"{number}.counts"]
            self._samples[name], self._tokens[name] = int(samples), int(tokens)
            pairs = arrays[f"{number}.curve"].reshape(-1, 2).tolist()
            self._curves[name] = [(int(n), unique) for n, unique in pairs]
            prefix = f"{number}.table."
            table = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
            self._tables[name] = Occupancy.restore(table)

    def _key(self, name: str) -> str:
        return ALL if name in self._strata and len(self._strata) == 1 else name


class Amount(NamedTuple):
    """Samples of a stratum to forecast, after `skip` further ones."""

    samples: int
    skip: int


def governed(cut: Cut, batches: int, ahead: int) -> tuple[int, int, int]:
    """(batch, its samples, samples of the batches before it that are not folded yet).

    The batch that a decision after `batches` committed ones governs: the first that is not open.
    Beyond the plan's end it is a whole batch that would follow.
    """
    size = cut.unit * cut.batch
    done = min(batches * size, cut.samples)
    if batches + ahead >= cut.batches:
        return cut.batches, size, cut.samples - done
    batch = batches + ahead
    return batch, min(size, cut.samples - batch * size), batch * size - done


def forecast_entry(
    prospects: Prospects,
    history: History,
    generation: GenerationState,
    widen: Callable[[str], float],
    window: tuple[Cut, int],
    mix: Mix,
) -> Measurement:
    """The measurement that says what was found so far and what the governed batch would add.

    `widen` says by how much a stratum's intervals are widened, `window` how the plan is cut and how
    many batches are open ahead.
    """
    batch, _, _ = governed(window[0], generation.batches, window[1])
    amounts = _amounts(window, generation.batches, mix)
    alone = exclusive_shares(prospects, history)
    novel = history.novel(prospects.generation, HEADLINE)
    strata: dict[str, Prospect] = {}
    for number, name in enumerate(prospects.names):
        found = novel.total if name == ALL else int(novel.strata[number - 1])
        others = novel.total if name == ALL else int(novel.exclusive[number - 1])
        if name == ALL and any(first <= batch for first in generation.mixes):
            parts = {stratum: amounts[stratum] for stratum in prospects.names[1:]}
            coming = prospects.mixed(parts, alone, widen)
        else:
            coming = prospects.forecast(name, *amounts[name], widen(name))
        strata[name] = {
            "samples": prospects.samples(name),
            "tokens": prospects.tokens(name),
            "sampled": found,
            "exclusive": others / history.rate,
            "coverage": coverage(prospects.evidence(name)),
            "next": _next(coming),
        }
    subject = {"generation": generation.number, "batches": generation.batches, "batch": batch}
    return Measurement(FORECAST, subject, {"rate": history.rate, "strata": strata})


def prospects_of(entry: Measurement | None) -> dict[str, Prospect]:
    """What a forecast entry says, by stratum; nothing without an entry."""
    return cast("dict[str, Prospect]", entry.values["strata"]) if entry is not None else {}


def next_samples(
    prospects: Prospects,
    history: History,
    samples: int,
    weights: Mapping[str, float],
    widen: Callable[[str], float],
) -> Forecast | None:
    """What so many further samples add, drawn by `weights`; by none of them as all so far."""
    if not weights:
        return prospects.forecast(ALL, samples, widen=widen(ALL))
    total = sum(weights.values()) or 1.0
    amounts = {name: Amount(round(samples * w / total), 0) for name, w in weights.items()}
    return prospects.mixed(amounts, exclusive_shares(prospects, history), widen)


def exclusive_shares(prospects: Prospects, history: History) -> dict[str, float]:
    """Share of each stratum's unique content that no other stratum has; 0 without any."""
    novel = history.novel(prospects.generation, HEADLINE)
    return {
        name: int(novel.exclusive[number]) / max(1, int(novel.strata[number]))
        for number, name in enumerate(prospects.names[1:])
    }


def _amounts(window: tuple[Cut, int], batches: int, mix: Mix) -> dict[str, Amount]:
    """By stratum, and for all: samples of the governed batch, and those before it to come."""
    cut, ahead = window
    batch, size, skipped = governed(cut, batches, ahead)
    whole = cut.unit * cut.batch
    before: dict[str, float] = {}
    for number in range(batches, batch):
        samples = min(whole, cut.samples - number * whole)
        for name, share in mix(number).items():
            before[name] = before.get(name, 0.0) + share * samples
    amounts = {
        name: Amount(round(share * size), round(before.get(name, 0.0)))
        for name, share in mix(batch).items()
    }
    return amounts | {ALL: Amount(size, skipped)}


def _next(found: Forecast | None) -> Coming | None:
    """None too where nothing is to be drawn."""
    if found is None or not found.samples:
        return None
    return {
        "samples": found.samples,
        "estimate": found.estimate,
        "low": found.low,
        "high": found.high,
        "method": found.method,
        "widen": found.widen,
    }
