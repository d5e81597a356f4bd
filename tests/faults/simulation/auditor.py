"""Holds every change of the store against the promises, at the instant it happens."""

from collections import Counter, defaultdict

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.identity import sha256_hex
from seedcorn.core.log.entries import (
    GENESIS,
    BatchCommitted,
    Entry,
    ObjectRef,
    WriterOpened,
    chain_hash,
    decode,
)
from seedcorn.core.log.layout import LOG, STAGING, log_key, parse_segment
from seedcorn.core.log.state import CorpusState
from seedcorn.storage.log.log import Head
from tests.faults.simulation.processes.process import Process
from tests.faults.simulation.samples import decode as rows_of
from tests.faults.simulation.world import World


class Auditor:
    """Knows the whole history of the store; the processes know nothing of it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.objects: dict[str, bytes] = {}
        """The store's own, set once it exists."""
        self.entries: list[bytes] = []
        self.state = CorpusState()
        self.writers: set[str] = set()
        self.named: dict[str, ObjectRef] = {}
        self.staged: dict[tuple[int, int], set[tuple[int, str, str]]] = defaultdict(set)
        """(generation, index) -> every (text, outcome, reason) that was ever staged of it."""
        self.generated: Counter[tuple[int, int]] = Counter()
        self._covers: dict[str, frozenset[int]] = {}
        self._found: dict[str, list[str]] = {}
        """Writer -> segments that stood on the store when it took the corpus: it must use them."""

    def written(self, key: str, before: bytes | None, data: bytes) -> None:
        """An object stands now where `before` stood."""
        if key.startswith(LOG):
            self._logged(key, before, data)
        elif key.startswith(STAGING):
            self._stage(key, data)
        elif key in self.named and before != data:
            self._world.violate("P1", f"committed {key} was overwritten")

    def deleted(self, key: str, data: bytes) -> None:
        """An object is gone."""
        if key.startswith(LOG):
            self._world.violate("P1", f"{key} was deleted")
        elif key in self.named:
            self._world.violate("P1", f"committed {key} was deleted")
        elif key.startswith(STAGING):
            name = parse_segment(key)
            held = self.state.generations.get(name.generation)
            if held is not None and not held.finished and name.unit >= held.units:
                first = min(self._covers[key])
                if first < held.samples:
                    self._world.violate("P7", f"{key} was deleted before its unit was committed")

    def generates(self, process: Process, generation: int, index: int) -> None:
        """An engine begins a sample."""
        self.generated[generation, index] += 1
        held = self.state.generations[generation]
        committed = held.batches and index < self._committed(generation)
        if committed:
            return
        for key in self._found.get(process.family.nonce, ()):
            of = parse_segment(key).generation
            if of == generation and index in self._covers[key] and key in self.objects:
                self._world.violate(
                    "P7", f"sample {index} of generation {generation} is generated again: {key}"
                )

    def met(self, reader: str, head: Head, shards: dict[str, bytes | None]) -> None:
        """A reader that follows the log has come to `head`, and read what its last entry names."""
        known = self.entries[head.sequence - 1 : head.sequence]
        if not known or chain_hash(known[0]) != head.previous:
            self._world.violate("P5", f"{reader} met an entry before {head} nobody committed")
            return
        for key, data in shards.items():
            ref = self.named[key]
            if data is None or (len(data), sha256_hex(data)) != (ref.bytes, ref.sha256):
                state = "missing" if data is None else "torn"
                self._world.violate("P5", f"{reader} found {key} {state}")

    def _committed(self, generation: int) -> int:
        held = self.state.generations[generation]
        return held.units * int(held.recipe["units"]["unit"])

    def _stage(self, key: str, data: bytes) -> None:
        name, rows = parse_segment(key), rows_of(data)
        self._covers[key] = frozenset(row.index for row in rows)
        for row in rows:
            held = self.staged[name.generation, row.index]
            held.add((row.text, row.outcome, row.reason))

    def _logged(self, key: str, before: bytes | None, data: bytes) -> None:
        if before is not None:
            if before != data:
                self._world.violate("P6", f"{key} was overwritten")
            return
        sequence = len(self.entries)
        if key != log_key(sequence):
            self._world.violate("P1", f"{key} was created as entry {sequence} of the log")
            return
        entry = decode(data, sequence)
        previous = chain_hash(self.entries[-1]) if self.entries else GENESIS
        self._world.note("log", f"entry {sequence}: {entry.kind} of {entry.writer[:4]}")
        if entry.previous != previous:
            self._world.violate("P1", f"entry {sequence} does not continue the log")
        self.entries.append(data)
        self._world.met[f"{entry.kind} entries"] += 1
        if isinstance(entry.body, WriterOpened):
            self.writers.add(entry.writer)
            self._found[entry.writer] = [key for key in self.objects if key.startswith(STAGING)]
        elif entry.writer != self.state.nonce:
            self._world.violate("P6", f"entry {sequence} is by a writer that was fenced before")
        self._fold(entry)

    def _fold(self, entry: Entry) -> None:
        try:
            self.state.apply(entry)
        except CorruptCorpus as error:
            self._world.violate("P1", f"the log contradicts itself: {error}")
            return
        if isinstance(entry.body, BatchCommitted):
            for ref in (*entry.body.data, *entry.body.dropped):
                self.named[ref.key] = ref
                data = self.objects.get(ref.key)
                if data is None or sha256_hex(data) != ref.sha256 or len(data) != ref.bytes:
                    state = "does not exist" if data is None else "is another"
                    self._world.violate("P1", f"{ref.key} {state} as entry {entry.sequence} lands")
