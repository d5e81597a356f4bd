"""What the index's ordinals stand for: the signature to compare with, and which document it is.

A document is named by a uint64 tag, generation << 48 | plan index; generation 0: seed row ordinal.

An ordinal is a position in the corpus' history and belongs to one document for ever, so `put` may
be repeated but never changes anything: a different document under a known ordinal means that this
process and the log disagree, which is an error and not a choice. 73 bytes per document.

Parts own blocks of 2^16 ordinals in turn, so that each part holds an even share of any history.
"""

import numpy as np

from seedcorn.core.errors import CorruptCorpus

SIGNATURE_BYTES = 64
"""128 permutations, 4 bits each."""
_BLOCK_BITS = 16
_BLOCK = 1 << _BLOCK_BITS
_REBUILD = "rebuild the dedup index from its checkpoint and the log"


def witness_owner(ordinals: np.ndarray, parts: int) -> np.ndarray:
    """Which of `parts` holds each ordinal: int64, same shape."""
    return (ordinals >> _BLOCK_BITS) % parts


def memory_bytes(documents: int) -> int:
    """Bytes of the witnesses (all parts together) of so many documents."""
    return documents * (SIGNATURE_BYTES + 8 + 1)


class Witnesses:
    """Part `part` of `parts` of the ordinal -> (signature, tag) map, in flat growing arrays."""

    def __init__(self, part: int = 0, parts: int = 1) -> None:
        """An empty part; raises ValueError unless 0 <= part < parts."""
        if not 0 <= part < parts:
            raise ValueError(f"witness part {part} of {parts}: need 0 <= part < parts")
        self.part, self.parts = part, parts
        self._allocate(0)

    @property
    def documents(self) -> int:
        """Documents held in this part."""
        return int(np.count_nonzero(self._present))

    @property
    def nbytes(self) -> int:
        """Bytes allocated."""
        return self._signatures.nbytes + self._tags.nbytes + self._present.nbytes

    def put(self, first_ordinal: int, signatures: np.ndarray, tags: np.ndarray) -> None:
        """Hold documents first_ordinal, +1, ...: signatures uint8[n,64], tags uint64[n].

        Rows of blocks that other parts own are passed over, so a run may be sent to every part
        that `witness_owner` names for it. Idempotent; raises CorruptCorpus, having stored nothing,
        where an ordinal already stands for another document.
        """
        if signatures.shape != (tags.size, SIGNATURE_BYTES) or first_ordinal < 0:
            raise ValueError(
                f"{tags.size} witnesses from ordinal {first_ordinal} came with signatures of "
                f"shape {signatures.shape}"
            )
        self._store(np.arange(first_ordinal, first_ordinal + tags.size), signatures, tags)

    def get(self, ordinals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """int64[m] -> (signatures uint8[m,64], tags uint64[m]).

        Raises CorruptCorpus for an ordinal never put here: the index is ahead of its witnesses.
        """
        local = self._local(ordinals)
        known = (witness_owner(ordinals, self.parts) == self.part) & (ordinals >= 0)
        known &= local < self._present.size
        known[known] = self._present[local[known]]
        if not known.all():
            missing = int(ordinals[np.argmin(known)])
            raise CorruptCorpus(
                f"ordinal {missing} has no witness in part {self.part} of {self.parts}: {_REBUILD}"
            )
        return self._signatures[local], self._tags[local]

    def snapshot(self) -> dict[str, np.ndarray]:
        """ordinals: int64[n], ascending; signatures: uint8[n,64]; tags: uint64[n].

        Snapshots of several parts are joined by concatenation, in any order.
        """
        local = np.flatnonzero(self._present)
        block = (local >> _BLOCK_BITS) * self.parts + self.part
        return {
            "ordinals": block << _BLOCK_BITS | local & (_BLOCK - 1),
            "signatures": self._signatures[local],
            "tags": self._tags[local],
        }

    @classmethod
    def restore(cls, arrays: dict[str, np.ndarray], part: int = 0, parts: int = 1) -> "Witnesses":
        """What `part` of `parts` owns of a snapshot, however many parts made it."""
        witnesses = cls(part, parts)
        witnesses._store(arrays["ordinals"], arrays["signatures"], arrays["tags"])
        return witnesses

    def _store(self, ordinals: np.ndarray, signatures: np.ndarray, tags: np.ndarray) -> None:
        mine = witness_owner(ordinals, self.parts) == self.part
        if not mine.any():
            return
        local, signatures, tags = self._local(ordinals[mine]), signatures[mine], tags[mine]
        self._make_room(int(local.max()) + 1)
        occupied = self._present[local]
        same = np.all(self._signatures[local[occupied]] == signatures[occupied], axis=1)
        same &= self._tags[local[occupied]] == tags[occupied]
        if not same.all():
            at = int(ordinals[mine][occupied][np.argmin(same)])
            raise CorruptCorpus(f"ordinal {at} already stands for another document: {_REBUILD}")
        self._signatures[local], self._tags[local], self._present[local] = signatures, tags, True

    def _local(self, ordinals: np.ndarray) -> np.ndarray:
        return (ordinals >> _BLOCK_BITS) // self.parts << _BLOCK_BITS | ordinals & (_BLOCK - 1)

    def _allocate(self, size: int) -> None:
        self._signatures = np.zeros((size, SIGNATURE_BYTES), np.uint8)
        self._tags = np.zeros(size, np.uint64)
        self._present = np.zeros(size, np.bool_)

    def _make_room(self, size: int) -> None:
        filled = self._present.size
        if size <= filled:
            return
        signatures, tags, present = self._signatures, self._tags, self._present
        # Untouched zero pages cost nothing, so doubling is free until the documents come.
        self._allocate(max(size, 2 * filled, 1024))
        self._signatures[:filled], self._tags[:filled], self._present[:filled] = (
            signatures,
            tags,
            present,
        )
