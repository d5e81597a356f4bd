"""The dedup index as the keeper sees it, whether it lives in this process or in actors.

Answers are a function of the keys inserted, never of how many parts hold them: each part owns a
fixed range of the key space, and a batch is split, asked and put together again.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.dedup.batch import DedupIndex
from seedcorn.core.dedup.index import Index, owners
from seedcorn.core.dedup.witnesses import Witnesses, witness_owner

UInt64 = NDArray[np.uint64]
Int64 = NDArray[np.int64]
UInt8 = NDArray[np.uint8]


class IndexPart:
    """One part of the index and of the witnesses' signatures."""

    def __init__(self, part: int, parts: int) -> None:
        """Part `part` of `parts`."""
        self._index, self._witnesses = Index(part, parts), Witnesses(part, parts)
        self._part, self._parts = part, parts

    def answer(self) -> None:
        """A sign of life."""

    def lookup(self, keys: UInt64) -> Int64:
        """Lowest-ranked kept ordinal per key, -1 where none."""
        return self._index.lookup(keys)

    def insert(self, keys: UInt64, ordinals: Int64) -> None:
        """Idempotent; the lowest ordinal wins."""
        self._index.insert(keys, ordinals)

    def reserve(self, documents: int) -> None:
        """Make room for so many documents, over all parts."""
        self._index.reserve(documents)

    def put_witnesses(self, first: int, signatures: UInt8, tags: UInt64) -> None:
        """Signatures and tags of ordinals first, first + 1, ...; keeps those this part owns."""
        self._witnesses.put(first, signatures, tags)

    def get_witnesses(self, ordinals: Int64) -> tuple[UInt8, UInt64]:
        """Signatures and tags of ordinals this part owns."""
        return self._witnesses.get(ordinals)

    def snapshot(self) -> dict[str, np.ndarray]:
        """Everything, as arrays for a checkpoint."""
        index = {f"index.{k}": v for k, v in self._index.snapshot().items()}
        return index | {f"witness.{k}": v for k, v in self._witnesses.snapshot().items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Fill this part, empty so far, with a snapshot of the same part and number of parts."""

        def under(prefix: str) -> dict[str, np.ndarray]:
            return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

        self._index.fill(under("index."))
        self._witnesses = Witnesses.restore(under("witness."), self._part, self._parts)


class IndexClient(DedupIndex, Protocol):
    """What the keeper needs of the index."""

    def reserve(self, documents: int) -> None:
        """Make room for so many documents; without it the table doubles its memory as it grows."""
        ...

    def snapshots(self) -> list[dict[str, np.ndarray]]:
        """One dict of arrays per part."""
        ...

    def restore(self, parts: list[dict[str, np.ndarray]]) -> None:
        """Fill empty parts from a checkpoint taken with the same number of parts; `reserve` before
        it moves nothing twice."""
        ...


class Transport(Protocol):
    """Calls a method on several parts at once: (part, arguments) pairs in, answers in order."""

    parts: int

    def call(self, method: str, requests: list[tuple[int, tuple[object, ...]]]) -> list[object]:
        """Raises whatever a part raised."""
        ...


class LocalTransport:
    """Parts in this process, for one machine's tools and for tests of the protocol."""

    def __init__(self, parts: int = 1) -> None:
        """All parts, empty."""
        self.parts = parts
        self._parts = [IndexPart(part, parts) for part in range(parts)]

    def call(self, method: str, requests: list[tuple[int, tuple[object, ...]]]) -> list[object]:
        """One after the other."""
        return [getattr(self._parts[part], method)(*arguments) for part, arguments in requests]


class PartitionedIndex:
    """An IndexClient over any transport."""

    def __init__(self, transport: Transport) -> None:
        """The transport decides where the parts live."""
        self._transport = transport

    def lookup(self, keys: UInt64) -> Int64:
        """Split by owner, ask, put together."""
        groups = self._split(owners(keys, self._transport.parts))
        answers = self._transport.call("lookup", [(p, (keys[rows],)) for p, rows in groups])
        found = np.full(len(keys), -1, dtype=np.int64)
        for (_, rows), answer in zip(groups, answers, strict=True):
            found[rows] = np.asarray(answer)
        return found

    def insert(self, keys: UInt64, ordinals: Int64) -> None:
        """Split by owner and send."""
        groups = self._split(owners(keys, self._transport.parts))
        self._transport.call("insert", [(p, (keys[rows], ordinals[rows])) for p, rows in groups])

    def put_witnesses(self, first: int, signatures: UInt8, tags: UInt64) -> None:
        """Every part keeps what it owns."""
        arguments = (first, signatures, tags)
        self._transport.call(
            "put_witnesses", [(part, arguments) for part in range(self._transport.parts)]
        )

    def get_witnesses(self, ordinals: Int64) -> tuple[UInt8, UInt64]:
        """Split by owner, ask, put together."""
        signatures = np.zeros((len(ordinals), 64), dtype=np.uint8)
        tags = np.zeros(len(ordinals), dtype=np.uint64)
        groups = self._split(witness_owner(ordinals, self._transport.parts))
        requests = [(p, (ordinals[rows],)) for p, rows in groups]
        answers = self._transport.call("get_witnesses", [*requests])
        for (_, rows), answer in zip(groups, answers, strict=True):
            assert isinstance(answer, tuple)
            signatures[rows], tags[rows] = answer
        return signatures, tags

    def reserve(self, documents: int) -> None:
        """Tell every part."""
        everyone = [(part, (documents,)) for part in range(self._transport.parts)]
        self._transport.call("reserve", [*everyone])

    def snapshots(self) -> list[dict[str, np.ndarray]]:
        """Snapshots of all parts."""
        parts = range(self._transport.parts)
        answers = self._transport.call("snapshot", [(part, ()) for part in parts])
        return [answer for answer in answers if isinstance(answer, dict)]

    def restore(self, parts: list[dict[str, np.ndarray]]) -> None:
        """Hand every part its arrays."""
        self._transport.call("restore", [(p, (arrays,)) for p, arrays in enumerate(parts)])

    def _split(self, owner: np.ndarray) -> list[tuple[int, Int64]]:
        return [
            (part, np.flatnonzero(owner == part))
            for part in range(self._transport.parts)
            if (owner == part).any()
        ]
