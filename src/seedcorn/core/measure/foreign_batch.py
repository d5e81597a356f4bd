"""One batch of foreign documents, gathered piece by piece, as the entry a grown corpus would log.

Invariant: the entry and its sketch are a function of the batch's rows, however they arrive in
pieces; what is held never exceeds `most` hashes per shingle length and one piece.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.ledger.alarms import form_of, spaced
from seedcorn.core.log.entries import BatchCommitted, ObjectRef
from seedcorn.core.sketch.sketch import LENGTHS, Delta, batch_delta, limit
from seedcorn.core.sketch.unique_tokens import AcceptedTexts, FirstHeld, sums_by_stratum
from seedcorn.core.text.shingles import Shingles, below, shingles_of
from seedcorn.core.text.words import NEWEST, Words

ACCEPTED, FAILED = "accepted", "failed"


@dataclass(frozen=True, slots=True)
class RowBlock:
    """Consecutive rows of one source."""

    words: Words
    usable: NDArray[np.bool_]
    """[n]: rows that hold a document."""
    problems: Mapping[str, int]
    """Why the others do not."""
    text: Callable[[int], str]
    """Row of the piece -> its text."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch stands in its corpus."""

    generation: int
    stratum: str
    batch: int
    first_index: int
    ordinal: int


class Batch:
    """Up to `rows` rows, in order."""

    def __init__(self, rows: int, rate: float, most: int) -> None:
        """`rate`: the sample rate to begin with; it is halved while one length of the batch alone
        has more than `most` hashes."""
        self.room, self.rate, self._most = rows, rate, most
        self.rows = 0
        self._shown = frozenset(spaced(range(rows)))
        self._texts: list[str] = []
        self._parts: dict[int, list[Shingles]] = {length: [] for length in LENGTHS}
        self._usable: list[NDArray[np.bool_]] = []
        self._words: list[NDArray[np.int64]] = []
        self._problems: Counter[str] = Counter()

    def add(self, piece: RowBlock, start: int, stop: int, problems: Mapping[str, int]) -> None:
        """Rows [start, stop) of a piece, at most `room` of them; `problems` are theirs."""
        rows, usable = slice(start, stop), piece.usable[start:stop]
        words = piece.words
        words = words.rows(rows)
        for length, parts in self._parts.items():
            parts.append(shingles_of(words, length, limit(self.rate)))
        shown = (row for row in range(start, stop) if self.rows + row - start in self._shown)
        self._texts += [piece.text(row) for row in shown if piece.usable[row]]
        self._usable.append(usable)
        self._words.append(np.where(usable, words.counts, 0))
        self._problems.update(problems)
        self.rows += stop - start
        self.room -= stop - start
        while max(map(_hashes, self._parts.values())) > self._most:
            self.rate /= 2
            for parts in self._parts.values():
                parts[:] = [below(part, limit(self.rate)) for part in parts]

    def delta(self) -> Delta:
        """The batch's sketch, at `rate`."""
        usable = self.texts().accepted
        shingles = {length: _joined(parts) for length, parts in self._parts.items()}
        strata = np.zeros(len(usable), np.uint8)
        return batch_delta(shingles, usable, usable, strata, self.rate)

    def texts(self) -> AcceptedTexts:
        """The documents: words are tokens."""
        usable = np.concatenate([np.empty(0, bool), *self._usable])
        words = np.concatenate([np.empty(0, np.int64), *self._words])
        return AcceptedTexts(usable, words, words)

    def entry(self, place: Place, found: FirstHeld) -> BatchCommitted:
        """The entry that would commit it: words are tokens, no engine spent any time. `found` is
        what its documents bring."""
        failed, words = sum(self._problems.values()), int(found.texts.tokens.sum())
        counts = {ACCEPTED: self.rows - failed, FAILED: failed}
        tokens = {"accepted": words, "generated": words, "prompt": 0}
        stratum = {**counts, "tokens": words, "generated": words}
        accepted = self.rows - failed
        return BatchCommitted(
            generation=place.generation,
            batch=place.batch,
            first_unit=place.batch,
            last_unit=place.batch,
            first_index=place.first_index,
            last_index=place.first_index + self.rows - 1,
            ordinal=place.ordinal,
            counts=counts,
            reasons={f"{FAILED}:{why}": n for why, n in sorted(self._problems.items())},
            strata={place.stratum: stratum},
            tokens=tokens,
            # No shard exists; the books only ask that the rows agree.
            data=[ObjectRef("", 0, "", accepted)] if accepted else [],
            dropped=[ObjectRef("", 0, "", failed)] if failed else [],
            sketch=None,
            sketch_rate=self.rate,
            engine_seconds=0.0,
            unique=sums_by_stratum(found, [place.stratum] * self.rows),
            form={place.stratum: form_of(self._texts, accepted, 0, NEWEST)} if self._texts else {},
        )


def _hashes(parts: list[Shingles]) -> int:
    return sum(len(part.hashes) for part in parts)


def _joined(parts: list[Shingles]) -> Shingles:
    sizes = [np.diff(part.offsets) for part in parts]
    offsets = np.concatenate([[0], np.cumsum(np.concatenate([np.empty(0, np.int64), *sizes]))])
    hashes = np.concatenate([np.empty(0, np.uint64), *(part.hashes for part in parts)])
    return Shingles(hashes, offsets.astype(np.int64))
