"""Dedup once more, in the plainest way: one pass in rank order with Python dicts.

It shares no code with the index, its partitions, its witnesses or the batch kernel, only what a
fingerprint is and how alike two signatures are. About 2.5 KB of memory per document.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.row_names import numbered
from seedcorn.core.text.fingerprint import Fingerprints, similarity

_FORGOTTEN = 12
"""Low bits of a key that the index does not keep: documents meet on the others."""
_SAMPLED = 15
"""Containment looks at shingles whose hash has none of these bits."""


@dataclass(frozen=True, slots=True)
class Known:
    """A document that later ones may repeat."""

    name: str
    relation: str
    """seed | heldout | reference, or empty for a sample."""
    generation: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class DedupOutcome:
    """What a document came to: kept (`name` empty), or whose duplicate, of what kind, how alike."""

    name: str = ""
    reason: str = ""
    similarity: float = 0.0


KEPT = DedupOutcome()


class Replay:
    """All documents so far. Source rows count for generations that deduplicate against the seed."""

    def __init__(self, rules: Mapping[str, int], held: Set[int] = frozenset()) -> None:
        """No document yet. `rules` are those of the corpus, by which rows are named; `held` are the
        ordinals of the seed's rows that are held back."""
        self._rules, self._held = rules, held
        self._documents: dict[int, Known] = {}
        self._withdrawn: set[str] = set()
        self._owners: dict[bool, dict[int, int]] = {False: {}, True: {}}
        """By whether they are of the seed: key -> the lowest ordinal that has it."""

    def __len__(self) -> int:
        return len(self._documents)

    def add_source(
        self,
        role: str,
        name: str,
        ordinal: int,
        prints: Fingerprints,
        usable: NDArray[np.bool_],
        row: int,
    ) -> None:
        """Rows `row`, `row` + 1, … of a source whose first row has the ordinal `ordinal`."""
        for offset in np.flatnonzero(usable):
            number = ordinal + row + int(offset)
            signature = prints.signature[offset].tobytes()
            called = numbered(name, row + int(offset), self._rules)
            relation = "heldout" if number in self._held else role
            self._documents[number] = Known(called, relation, 0, signature)
            self._claim(prints.keys[offset].tolist(), number, role == "seed")

    def judge(
        self, keys: Sequence[int], signature: bytes, generation: int, terms: tuple[float, bool]
    ) -> DedupOutcome:
        """What a sample comes to; `terms` are the threshold and whether the seed counts."""
        threshold, with_seed = terms
        owners = [self._owner(key, with_seed) for key in keys]
        copied = owners[-1]
        if copied >= 0 and self._documents[copied].signature == signature:
            return self._outcome(copied, "exact", 1.0, generation)
        for ordinal in sorted({owner for owner in owners if owner >= 0}):
            alike = _alike(self._documents[ordinal].signature, signature)
            if alike >= np.float32(threshold):
                return self._outcome(ordinal, "near", float(alike), generation)
        return KEPT

    def withdraw(self, names: Set[str]) -> None:
        """Samples were taken back; they stay, and their copies are copies of theirs."""
        self._withdrawn |= names

    def keep(
        self, ordinal: int, name: str, generation: int, keys: Sequence[int], signature: bytes
    ) -> None:
        """A sample is kept under this ordinal."""
        self._documents[ordinal] = Known(name, "", generation, signature)
        self._claim(keys, ordinal, False)

    def _claim(self, keys: Sequence[int], ordinal: int, of_seed: bool) -> None:
        owners = self._owners[of_seed]
        for key in keys:
            short = key >> _FORGOTTEN
            owners[short] = min(ordinal, owners.get(short, ordinal))

    def _owner(self, key: int, with_seed: bool) -> int:
        short = key >> _FORGOTTEN
        found = [self._owners[False].get(short, -1)]
        if with_seed:
            found.append(self._owners[True].get(short, -1))
        return min((ordinal for ordinal in found if ordinal >= 0), default=-1)

    def _outcome(self, ordinal: int, kind: str, alike: float, generation: int) -> DedupOutcome:
        known = self._documents[ordinal]
        of = "same" if known.generation == generation else "earlier"
        of = "withdrawn" if known.name in self._withdrawn else of
        return DedupOutcome(known.name, f"{kind}:{known.relation or of}", alike)


class ContainmentReplay:
    """How much of each kept document was there before, with a plain set."""

    def __init__(self) -> None:
        """Nothing seen."""
        self._seen: set[int] = set()

    def measure(self, hashes: NDArray[np.uint64], offsets: NDArray[np.int64]) -> dict[str, float]:
        """Sums over these documents' 8-word shingles; they are known from then on."""
        totals = {"shingles": 0.0, "seen": 0.0, "documents": 0.0, "half": 0.0}
        for begin, end in pairwise(offsets.tolist()):
            own = [h for h in hashes[begin:end].tolist() if h and not h & _SAMPLED]
            seen = sum(one in self._seen for one in own)
            self._seen.update(own)
            if own:
                parts = (len(own), seen, 1, 2 * seen >= len(own))
                totals = {n: totals[n] + p for n, p in zip(totals, parts, strict=True)}
        return totals


def _alike(left: bytes, right: bytes) -> np.float32:
    pair = (np.frombuffer(side, np.uint8)[None, :] for side in (left, right))
    return np.float32(similarity(*pair)[0])
