"""Everything the corpus has held so far, as a hash sample: what makes a shingle *novel*.

U of generation g is the number of shingles in samples accepted in g that no earlier generation's
accepted samples held, and no seed that was logged before g started. Invariant: the history is a
function of the set of (delta, generation) pairs added; order, sharding and retries of the work
behind them do not exist here. Document counts are not idempotent: add each log entry once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.recipe import MAX_STRATA
from seedcorn.core.sketch.shingle_table import (
    EXCLUSIVE,
    GROSS,
    NET,
    ROW,
    STRATUM,
    TOTAL,
    UNSEEN,
    ShingleTable,
)
from seedcorn.core.sketch.sketch import KINDS, Delta, limit, thin


@dataclass(frozen=True, slots=True, eq=False)
class Novelty:
    """Novel shingles of one generation in the sample; divide by the rate for estimates."""

    total: int
    strata: NDArray[np.int64]
    """[64]: novel shingles that this stratum's accepted samples hold. Strata overlap."""
    exclusive: NDArray[np.int64]
    """[64]: the part that no other stratum of the generation holds."""


class History:
    """First moment, strata and document counts of every sampled shingle, per shingle length.

    `fingerprints` is the number of hashes per length beyond which `rate_needed` asks for a lower
    rate. Memory is 46 to 91 bytes per hash held: at the default 10^7 hashes and three lengths at
    most 1.6 GB. Cost of `add` follows the delta, of `novel` nothing; neither follows the history,
    cache misses aside: 100 times the hashes make a delta of new ones about half dearer.
    """

    def __init__(self, fingerprints: int = 10_000_000, rate: float = 1.0) -> None:
        self.fingerprints = fingerprints
        self.rate = rate
        self._tables = {length: ShingleTable() for length in KINDS}

    @property
    def sizes(self) -> dict[int, int]:
        """Hashes held per shingle length, those seen in duplicates only included."""
        return {length: len(table) for length, table in self._tables.items()}

    @property
    def bytes(self) -> int:
        """Memory of all tables."""
        return sum(table.bytes for table in self._tables.values())

    def add(self, delta: Delta, generation: int, seed: bool = False) -> None:
        """Add one batch of `generation`, at the lower of both rates.

        `seed`: the rows are seed or reference documents, logged while `generation` was the last one
        started; generation 0 is always seed. They are history from the next generation on.
        """
        delta = self._aligned(delta)
        if seed or generation == 0:
            first = np.full(len(delta), 2 * generation + 1)
            self._merge(delta, first=first)
            return
        strata = np.uint64(1) << delta.stratum.astype(np.uint64)
        kept = delta.accepted > 0
        first = np.where(kept, 2 * generation, UNSEEN)
        strata = np.where(kept, strata, np.uint64(0))
        counts = {"accepted": delta.accepted, "verified": delta.verified}
        self._merge(delta, first=first, strata=strata, **counts)

    def withdraw(self, delta: Delta) -> int:
        """Subtract withdrawn documents (`delta.accepted` counts them) from the net figures.

        A shingle leaves the net U of the generation that first held it once no accepted document of
        any generation holds it. Returns how many shingles would be withdrawn from more documents
        than were accepted: not 0 means that the delta does not belong to this history.
        """
        delta = self._aligned(delta)
        first = np.full(len(delta), UNSEEN)
        return self._merge(delta, first=first, withdrawn=delta.accepted)

    def merge(self, other: "History") -> None:
        """Add another history, such as that of another hash range, at the lower of both rates."""
        self.thin(other.rate)
        for length, table in self._tables.items():
            rows = other._tables[length].rows()
            table.merge(rows[rows["key"] <= np.uint64(limit(self.rate) - 1)])

    def novel(self, generation: int, length: int, net: bool = False) -> Novelty:
        """Novel shingles of a generation in the sample; `net`: without withdrawn samples."""
        counts = self._tables[length].novel(generation, NET if net else GROSS)
        return Novelty(
            int(counts[TOTAL]),
            counts[STRATUM : STRATUM + MAX_STRATA],
            counts[EXCLUSIVE : EXCLUSIVE + MAX_STRATA],
        )

    def fresh(self, hashes: NDArray[np.uint64], length: int, generation: int) -> NDArray[np.bool_]:
        """[n]: which of these sampled hashes no history before `generation` held."""
        return self._tables[length].moments(hashes) >= 2 * generation

    def unheld(self, hashes: NDArray[np.uint64], length: int, generation: int) -> NDArray[np.bool_]:
        """[n]: which of these sampled hashes neither a history before `generation` held nor any
        accepted sample so far."""
        return self._tables[length].moments(hashes) > 2 * generation

    def rate_needed(self) -> float:
        """The rate, halved until no length would hold more than `fingerprints` hashes."""
        rate = self.rate
        largest = max(self._tables.values(), key=len)
        if len(largest) <= self.fingerprints:
            return rate
        rate /= 2
        while max(t.below(limit(rate)) for t in self._tables.values()) > self.fingerprints:
            rate /= 2
        return rate

    def thin(self, rate: float) -> None:
        """Go down to a sample rate; a rate that is not lower changes nothing."""
        if rate >= self.rate:
            return
        self.rate = rate
        for table in self._tables.values():
            table.thin(limit(rate))

    def snapshot(self) -> dict[str, NDArray]:
        """Columns `<length>.<field>` in order of hash, and `rate`: equal for equal histories."""
        arrays: dict[str, NDArray] = {"rate": np.array([self.rate])}
        for length, table in self._tables.items():
            rows = table.rows()
            arrays |= {f"{length}.{name}": rows[name].copy() for name in ROW.fields or ()}
        return arrays

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray], fingerprints: int = 10_000_000) -> "History":
        """The history that `snapshot` described; raises KeyError for a missing column."""
        history = cls(fingerprints, float(arrays["rate"][0]))
        for length, table in history._tables.items():
            rows = np.empty(len(arrays[f"{length}.key"]), ROW)
            for name in ROW.fields or ():
                rows[name] = arrays[f"{length}.{name}"]
            table.merge(rows)
        return history

    def _aligned(self, delta: Delta) -> Delta:
        self.thin(delta.rate)
        return thin(delta, self.rate)

    def _merge(self, delta: Delta, **columns: NDArray) -> int:
        overdrawn = 0
        for length, table in self._tables.items():
            picked = delta.rows(length)
            rows = np.zeros(picked.stop - picked.start, ROW)
            rows["key"] = delta.hash[picked]
            for name, values in columns.items():
                rows[name] = values[picked]
            overdrawn += table.merge(rows)
        return overdrawn
