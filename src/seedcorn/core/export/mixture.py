"""Mixture weights of an export: how often each sample is told, by its stratum and generation.

A sample's weight is its stratum's times its generation's. Invariant: of n samples of weight w
exactly round(w n) rows come out. Below 1 that is sampling without replacement; above 1 every sample
comes floor(w) times and some once more. Which ones is a keyed permutation, no state and no clock.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import floor, inf

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.export.shuffle import Shuffle
from seedcorn.core.identity import uint64

STRATUM, GENERATION = "stratum", "generation"
KINDS = (STRATUM, GENERATION)
MOST = 1000.0
"""Highest weight: a sample told more often than that is a slip of the keyboard."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that differ from 1."""

    strata: Mapping[str, float] = field(default_factory=dict)
    generations: Mapping[int, float] = field(default_factory=dict)

    def of(self, generation: int, stratum: str) -> float:
        """The weight of a sample."""
        return self.generations.get(generation, 1.0) * self.strata.get(stratum, 1.0)

    @property
    def repeat(self) -> bool:
        """Whether some sample may come twice."""
        highest = [max(kind.values(), default=1.0) for kind in (self.strata, self.generations)]
        return max(1.0, highest[0]) * max(1.0, highest[1]) > 1

    def described(self) -> dict[str, float]:
        """As a manifest holds them: `stratum:NAME` or `generation:N` to weight."""
        pairs = [(f"{STRATUM}:{name}", value) for name, value in self.strata.items()]
        pairs += [(f"{GENERATION}:{number}", value) for number, value in self.generations.items()]
        return dict(sorted(pairs))


def parse_weight(text: str) -> tuple[str, str, float]:
    """(kind, name, weight) of `stratum:NAME=W` or `generation:N=W`; raises ValueError."""
    left, equals, number = text.rpartition("=")
    kind, colon, name = left.partition(":")
    if not equals or not colon or not name or kind not in KINDS:
        raise ValueError(f"{text!r} must read stratum:NAME=WEIGHT or generation:N=WEIGHT")
    if kind == GENERATION:
        if not (name.isascii() and name.isdecimal()):
            raise ValueError(f"{text!r}: a generation is a number")
        name = str(int(name))
    try:
        value = float(number)
    except ValueError:
        value = inf
    if not 0 <= value <= MOST:
        raise ValueError(f"{text!r}: a weight is a number from 0 to {MOST:.0f}")
    return kind, name, value


def weights(parsed: Iterable[tuple[str, str, float]]) -> Weights:
    """All weights together; raises ValueError where one is given twice."""
    found: dict[str, dict[str, float]] = {kind: {} for kind in KINDS}
    for kind, name, value in parsed:
        if name in found[kind]:
            raise ValueError(f"{kind} {name} has two weights")
        found[kind][name] = value
    return Weights(found[STRATUM], {int(n): value for n, value in found[GENERATION].items()})


@dataclass(frozen=True, slots=True)
class Quota:
    """What becomes of `samples` samples of one weight; `rows` come out."""

    samples: int
    weight: float
    key: int

    @property
    def rows(self) -> int:
        """round(weight x samples), halves upwards."""
        return floor(self.weight * self.samples + 0.5)

    @property
    def distinct(self) -> int:
        """Samples that come at least once."""
        return min(self.rows, self.samples)

    def copies(self, first: int, count: int) -> NDArray[np.int64]:
        """int64[count]: how often samples first, first + 1 … of the group come."""
        whole = floor(self.weight)
        more = self.rows - whole * self.samples
        if more in (0, self.samples):
            return np.full(count, whole + bool(more), np.int64)
        ranks = Shuffle(self.samples, self.key).positions(first, first + count)
        return whole + (ranks < more).astype(np.int64)


def quota(samples: int, weight: float, seed: int, generation: int, stratum: str) -> Quota:
    """The draw of one group; `seed` is the export's."""
    return Quota(samples, weight, uint64("export-mixture", seed, generation, stratum))
