"""Which novel fingerprints occur in how many verified documents, kept up to date batch by batch.

What a forecast reads is maintained as rows arrive, so its cost does not follow the history. A
fingerprint seen only in duplicates is remembered, and counts once an accepted document holds it.
Invariant: the contents, the sample rate included, are a function of the rows added, whatever their
order (for rates that are powers of two, as the ledger's are); a lower rate leaves exactly what a
table of that rate would have held from the start.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.forecast.evidence import DEEP, Evidence
from seedcorn.core.sketch.shingle_table import shifts
from seedcorn.core.sketch.sketch import limit as highest_hash

SLOT = np.dtype(
    [("key", np.uint64), ("document", np.int64), ("verified", np.uint32), ("held", np.uint32)]
)
"""24 bytes: hash, plan index of the first document, verified documents (0: a free slot), whether an
accepted document is among them."""
LONE = np.dtype([("document", np.int64), ("alone", np.int64)])
"""16 bytes: plan index, and the fingerprints that occur in this document only. -1: a free slot."""
LOAD = 0.7
"""Share of slots in use at which a table doubles."""
SIZE, SINGLETONS, SUM, SQUARES, INCIDENCES = range(5)
"""Running figures: hashes held, documents held, sum of q_d, of its square, and of i Q_i."""
_FREE = np.int64(-1)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Occupancy:
    """The occupancy of one shingle length, in one stratum or a whole generation.

    Memory: 34 to 69 bytes per hash held, and 23 to 46 per document that ever held one alone; at
    most 84 MB at the default limit. `add` costs as much as its rows, `evidence` nothing.
    """

    def __init__(self, limit: int = 1 << 20) -> None:
        if limit < 1:
            raise ValueError(f"a table of {limit} fingerprints holds nothing; give at least 1")
        self.limit = limit
        self.rate = 1.0
        self._clear(1 << 10, 1 << 10)

    def __len__(self) -> int:
        """Hashes held, those seen only in duplicates included."""
        return int(self._figures[SIZE])

    @property
    def bytes(self) -> int:
        """Memory of both tables."""
        return self._slots.nbytes + self._singletons.nbytes

    def add(
        self,
        hashes: NDArray[np.uint64],
        verified: NDArray[np.uint32],
        accepted: NDArray[np.bool_] | NDArray[np.uint32],
        document: NDArray[np.int64],
        rate: float = 1.0,
    ) -> None:
        """Add the rows of one batch, each log entry once; the rows have shape [n].

        `verified`: documents of the batch that hold the hash; `accepted`: whether, or how many of
        them are accepted; `document`: plan index of the first one, accepted preferred; `rate`: the
        sample rate of the rows. A hash may come in several rows if they count different documents.
        Rows in order of hash are fastest. Raises ValueError for columns of different lengths.
        """
        sizes = {len(column) for column in (hashes, verified, accepted, document)}
        if len(sizes) != 1:
            raise ValueError(f"the columns of a batch have {sorted(sizes)} rows; they must agree")
        self.thin(rate)
        rows = np.empty(len(hashes), SLOT)
        rows["key"], rows["document"] = hashes, document
        rows["verified"], rows["held"] = verified, accepted > 0
        step = max(1024, self.limit // 4)
        for start in range(0, len(rows), step):
            self._merge(rows[start : start + step])
            while len(self) > self.limit:
                self.thin(self.rate / 2)

    def thin(self, rate: float) -> None:
        """Go down to a sample rate; a rate that is not lower changes nothing."""
        if rate >= self.rate:
            return
        self.rate = rate
        old = self._slots
        self._clear(len(old), len(self._singletons))
        self._insert(old)

    def evidence(self, samples: int, curve: Sequence[tuple[int, float]] = ()) -> Evidence:
        """What a forecast needs after `samples` generated documents; costs nothing."""
        last = int(np.flatnonzero(self._occurrences)[-1]) if self._occurrences.any() else 0
        return Evidence(
            samples=samples,
            occurrences=self._occurrences[1 : last + 1].copy(),
            q_sum=int(self._figures[SUM]),
            q_squares=int(self._figures[SQUARES]),
            rate=self.rate,
            curve=tuple(curve),
            incidences=int(self._figures[INCIDENCES]),
        )

    def snapshot(self) -> dict[str, NDArray]:
        """Columns in order of hash, `rate` and `limit`: equal for equal contents."""
        kept = self._slots[self._slots["verified"] > 0]
        kept = kept[np.argsort(kept["key"])]
        arrays: dict[str, NDArray] = {name: kept[name].copy() for name in SLOT.fields or ()}
        return arrays | {"rate": np.array([self.rate]), "limit": np.array([self.limit])}

    @classmethod
    def restore(cls, arrays: Mapping[str, NDArray]) -> "Occupancy":
        """The occupancy that `snapshot` described; raises KeyError for a missing column."""
        occupancy = cls(int(arrays["limit"][0]))
        occupancy.rate = float(arrays["rate"][0])
        rows = np.empty(len(arrays["key"]), SLOT)
        for name in SLOT.fields or ():
            rows[name] = arrays[name]
        occupancy._merge(rows)
        return occupancy

    def _merge(self, rows: NDArray) -> None:
        """Add rows, making room for all of them first; those beyond the rate are skipped."""
        documents = 0
        if len(rows):
            span = int(rows["document"].max()) - int(rows["document"].min()) + 1
            documents = min(span, len(rows))
        slots, singletons = len(self._slots), len(self._singletons)
        while len(self) + len(rows) > LOAD * slots:
            slots *= 2
        while int(self._figures[SINGLETONS]) + documents > LOAD * singletons:
            singletons *= 2
        if (slots, singletons) != (len(self._slots), len(self._singletons)):
            old = self._slots
            self._clear(slots, singletons)
            self._insert(old)
        self._insert(rows)

    def _insert(self, rows: NDArray) -> None:
        highest = np.uint64(highest_hash(self.rate) - 1)
        _insert(self._slots, self._singletons, self._occurrences, self._figures, rows, highest)

    def _clear(self, slots: int, singletons: int) -> None:
        self._slots = np.zeros(slots, SLOT)
        self._singletons = np.full(singletons, np.array((-1, 0), LONE))
        self._occurrences = np.zeros(DEEP + 1, np.int64)
        self._figures = np.zeros(5, np.int64)


@njit(cache=True, nogil=True)
def _home(singletons, document):  # noqa: ANN001, ANN202
    """Where a document is looked for first."""
    return np.int64((np.uint64(document) * _GOLDEN) >> np.uint64(32)) & (len(singletons) - 1)


@njit(cache=True, nogil=True)
def _move(singletons, figures, document, sign):  # noqa: ANN001, ANN202
    """One more or one less fingerprint that occurs in this document alone."""
    last, slot = len(singletons) - 1, _home(singletons, document)
    while singletons[slot]["document"] != _FREE and singletons[slot]["document"] != document:
        slot = (slot + 1) & last
    entry = singletons[slot]
    if entry["document"] == _FREE:
        entry["document"] = document
        figures[SINGLETONS] += 1
    before = entry["alone"]
    entry["alone"] = before + sign
    figures[SUM] += sign
    figures[SQUARES] += sign * (2 * before + sign)


@njit(cache=True, nogil=True)
def _account(singletons, occurrences, figures, entry, sign):  # noqa: ANN001, ANN202
    """Add or remove what one fingerprint contributes to the running figures."""
    if entry["held"] == 0:
        return
    count = np.int64(entry["verified"])
    occurrences[min(count, DEEP)] += sign
    figures[INCIDENCES] += sign * count
    if count == 1:
        _move(singletons, figures, entry["document"], sign)


@njit(cache=True, nogil=True)
def _insert(slots, singletons, occurrences, figures, rows, highest):  # noqa: ANN001, ANN202
    """Merge rows with keys up to `highest`: counts add up, the first document stays."""
    left, right = shifts(slots, highest)
    last = len(slots) - 1
    for index in range(len(rows)):
        row = rows[index]
        if row["verified"] == 0 or row["key"] > highest:
            continue
        slot = np.int64((row["key"] << left) >> right)
        while slots[slot]["verified"] != 0 and slots[slot]["key"] != row["key"]:
            slot = (slot + 1) & last
        entry = slots[slot]
        if entry["verified"] == 0:
            entry["key"] = row["key"]
            entry["document"] = row["document"]
            figures[SIZE] += 1
        _account(singletons, occurrences, figures, entry, -1)
        earlier = row["document"] < entry["document"]
        if row["held"] > entry["held"] or (row["held"] == entry["held"] and earlier):
            entry["document"] = row["document"]
        entry["held"] = max(entry["held"], row["held"])
        entry["verified"] += row["verified"]
        _account(singletons, occurrences, figures, entry, 1)
