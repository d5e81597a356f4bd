"""The protocol, broken on purpose in one place each: the campaign must notice every one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seedcorn.core.dedup.batch import Decided
from seedcorn.core.dedup.dedup import resolve
from seedcorn.core.dedup.sealing import SealRequest
from seedcorn.core.errors import ObjectMissing, StoreError
from seedcorn.core.log.entries import BatchCommitted, Entry, chain_hash, decode, encode
from seedcorn.core.log.layout import DATA, DROPPED, LOG, STAGING, ShardName
from seedcorn.core.log.state import CorpusState
from seedcorn.runtime.driver.coordinator import Coordinator
from seedcorn.runtime.driver.ports import KeeperHandle, Lost
from seedcorn.runtime.job import Folded, LoadReport
from seedcorn.storage.log.garbage import collect
from seedcorn.storage.log.log import Head, LogReader
from seedcorn.storage.stores.patience import Unanswered
from seedcorn.storage.stores.store import Store
from tests.faults.simulation.assembly import SHIPPED, Assembly
from tests.faults.simulation.disk import SimulatedStore
from tests.faults.simulation.processes.keeper import SimulatedKeeper
from tests.faults.simulation.samples import Row


class PlainPut(SimulatedStore):
    """Put-if-absent removed."""

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        self.put(key, data)
        return data


class HeadThenPut(SimulatedStore):
    """Put-if-absent made of a look and a write."""

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        try:
            return self.get(key)
        except ObjectMissing:
            self.put(key, data)
            return data


class Unconditional(SimulatedStore):
    """The store ignores the condition; the client does all it should."""

    def create(self, key: str, data: bytes) -> None:
        self.request("create", key, lambda: self.disk.write(key, data))


class RefusalIsFailure(SimulatedStore):
    """412 is taken for the failure it looks like, without reading back."""

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        def attempt() -> bytes:
            try:
                self.create(key, data)
            except Unanswered as error:
                if "412" in str(error):
                    raise StoreError(f"{key} exists") from error
                raise
            return data

        return self.told(lambda: self.patience.keep_trying(attempt))


class RefusalIsDone(SimulatedStore):
    """412 is taken for a success of an earlier try, without comparing."""

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        def attempt() -> bytes:
            try:
                self.create(key, data)
            except Unanswered as error:
                if "412" not in str(error):
                    raise
            return data

        return self.told(lambda: self.patience.keep_trying(attempt))


class OtherBytes(SimulatedStore):
    """An append that is tried again carries the time of the new try; its own nonce is success."""

    def put_if_absent(self, key: str, data: bytes) -> bytes:
        if not key.startswith(LOG):
            return super().put_if_absent(key, data)
        sequence = int(key.removeprefix(LOG).removesuffix(".json"))
        mine, tries = decode(data, sequence), [data]

        def attempt() -> bytes:
            try:
                self.create(key, tries[-1])
            except Unanswered as unknown:
                try:
                    stands = self.read(key)
                except ObjectMissing:
                    tries.append(encode(replace(mine, at=self.process.world.wall())))
                    raise unknown from None
                return data if decode(stands, sequence).writer == mine.writer else stands
            return data

        return self.told(lambda: self.patience.keep_trying(attempt))


class Unchained(LogReader):
    """The hash chain is not checked."""

    def _advance(self, data: bytes) -> Entry:
        entry = decode(data, self.head.sequence)
        self.head = Head(self.head.sequence + 1, chain_hash(data))
        return entry


class Unordered(Coordinator):
    """Any batch that is staged in full is sealed, the last one first."""

    async def _advance(self, keeper: KeeperHandle, staff: Any) -> bool:
        leases = self._leases
        units = {b: leases.cut.units_of(b) for b in range(leases.committed, leases.cut.batches)}
        ready = [
            batch
            for batch, of in units.items()
            if all(u in leases._open and leases._complete(u) for u in of)
        ]
        if ready and not leases.done:
            await self._seal(keeper, ready[-1])
            return True
        return await super()._advance(keeper, staff)


class SealedEarly(Coordinator):
    """A batch is sealed as soon as anything of it is staged."""

    async def _advance(self, keeper: KeeperHandle, staff: Any) -> bool:
        leases = self._leases
        if not leases.done and any(
            u in leases._open and leases._open[u].covered
            for u in leases.cut.units_of(leases.sealed)
        ):
            await self._seal(keeper, leases.sealed)
            return True
        return await super()._advance(keeper, staff)


class NothingReused(Coordinator):
    """What an earlier driver left under staging/ is not looked at."""

    async def _resume_staging(self) -> None:
        return None


class DroppedKeys(SimulatedKeeper):
    """The keys of dropped documents are inserted too, for the witness that dropped them."""

    def decide(self, prints, plan_index, request: SealRequest) -> Decided:
        decided = super().decide(prints, plan_index, request)
        dropped = ~decided.verdicts.kept
        keys = prints.keys[dropped]
        self.index.insert(keys.ravel(), np.repeat(decided.verdicts.witness[dropped], 17))
        return decided


class Repeated(SimulatedKeeper):
    """An admission that timed out is sent again, to the index that may have done it."""

    def decide(self, prints, plan_index, request: SealRequest) -> Decided:
        try:
            return super().decide(prints, plan_index, request)
        except Lost:
            self.transport.gone = False
            return self.again(prints, plan_index, request)

    def again(self, prints, plan_index, request: SealRequest) -> Decided:
        return super().decide(prints, plan_index, request)


class MeetsItself(Repeated):
    """The same, and a batch takes what it finds of its own for documents of others."""

    def again(self, prints, plan_index, request: SealRequest) -> Decided:
        found = self.index.lookup(prints.keys.ravel()).reshape(prints.keys.shape)
        ordinals = np.unique(found[found >= 0])
        signatures, held = self.index.get_witnesses(ordinals)
        beyond = 1 << 39
        verdicts = resolve(
            prints.keys,
            prints.signature,
            found,
            (ordinals, signatures),
            beyond,
            self.recipe.dedup.threshold,
        )
        labels = dict(zip(ordinals.tolist(), held.tolist(), strict=True))
        kept = plan_index[verdicts.kept].tolist()
        labels |= {beyond + n: request.generation << 48 | index for n, index in enumerate(kept)}
        return Decided(verdicts, labels)


class Survivor(SimulatedKeeper):
    """A keeper that did not answer goes on with its index: what attempt A inserted stays in it
    when attempt B is committed."""

    def load(self, until: int) -> LoadReport:
        self.transport.gone = False
        return super().load(until)


class EagerCheckpoint(SimulatedKeeper):
    """A checkpoint is written when a batch is sealed, before it is committed."""

    def load(self, until: int) -> LoadReport:
        report = super().load(until)
        entries = list(self.reader(self.store, readers=1))
        self._chain = chain_hash(encode(entries[until - 1]))
        return report

    def committed(self, entry: Entry) -> Folded:
        self._chain = chain_hash(encode(entry))
        return super().committed(entry)

    def seal(self, request: SealRequest) -> BatchCommitted:
        body = super().seal(request)
        self.checkpoint(self._chain)
        return body


class _Later:
    """A store that keeps what is put for later."""

    def __init__(self) -> None:
        self.held: list[tuple[str, bytes]] = []

    def put(self, key: str, data: bytes) -> None:
        self.held.append((key, data))


class EntryFirst(SimulatedKeeper):
    """Shards are written once their entry is in the log."""

    def write(self, rows: list[Row], request: SealRequest) -> BatchCommitted:
        store, later = self.store, _Later()
        self.store: Any = later
        try:
            return super().write(rows, request)
        finally:
            self.store, self._held = store, later.held

    def committed(self, entry: Entry) -> Folded:
        if isinstance(entry.body, BatchCommitted):
            for key, data in self._held:
                self.store.put(key, data)
        return super().committed(entry)


class NoHashInNames(SimulatedKeeper):
    """A shard's name is its range alone."""

    def write(self, rows: list[Row], request: SealRequest) -> BatchCommitted:
        store, later = self.store, _Later()
        self.store: Any = later
        try:
            body = super().write(rows, request)
        finally:
            self.store = store
        renamed: dict[str, str] = {}
        for key, data in later.held:
            role = key.partition("/")[0]
            units = (request.generation, request.first_unit, request.last_unit)
            renamed[key] = ShardName(role, *units, "0" * 16).key
            store.put(renamed[key], data)
        return replace(
            body,
            data=[replace(ref, key=renamed[ref.key]) for ref in body.data],
            dropped=[replace(ref, key=renamed[ref.key]) for ref in body.dropped],
        )


def collect_unreferenced(store: Store, state: CorpusState) -> list[str]:
    """Whatever no entry names is garbage, even where a writer is about to name it."""
    named = {r.key for g in state.generations.values() for r in (*g.shards, *g.dropped)}
    keys = [info.key for prefix in (DATA, DROPPED) for info in store.list(prefix)]
    for key in keys:
        if key not in named:
            store.delete(key)
    return collect(store, state)


def collect_segments(store: Store, state: CorpusState) -> list[str]:
    """Every segment is garbage."""
    for info in list(store.list(STAGING)):
        store.delete(info.key)
    return collect(store, state)


@dataclass(frozen=True)
class Mutant:
    """One defence removed."""

    name: str
    assembly: Assembly
    harmless: str = ""
    """Why nothing is to be seen of it; empty: the campaign must notice."""


def _mutant(name: str, harmless: str = "", **pieces: Any) -> Mutant:
    return Mutant(name, replace(SHIPPED, **pieces), harmless)


def _alive(keeper: Any) -> bool:
    return not keeper.alive


MUTANTS: Mapping[str, Mutant] = {
    mutant.name: mutant
    for mutant in (
        _mutant("put-if-absent: plain PUT", store=PlainPut),
        _mutant("put-if-absent: HEAD, then PUT", store=HeadThenPut),
        _mutant("put-if-absent: the store ignores the condition", store=Unconditional),
        _mutant("put-if-absent: 412 is failure, no GET", store=RefusalIsFailure),
        _mutant("put-if-absent: exists is done, no compare", store=RefusalIsDone),
        _mutant("hash chain removed", reader=Unchained),
        _mutant("ordered sealing removed", coordinator=Unordered),
        _mutant("sealing before all units are staged", coordinator=SealedEarly),
        _mutant("staging reuse removed", coordinator=NothingReused),
        _mutant("keys of dropped documents inserted", keeper=DroppedKeys),
        _mutant("admission repeated, own rank not ignored", keeper=MeetsItself),
        _mutant("attempt A sealed, B committed", keeper=Survivor, discards_keeper=_alive),
        _mutant("checkpoint holds uncommitted owners", keeper=EagerCheckpoint),
        _mutant("append retried with other bytes", store=OtherBytes),
        _mutant("gc of every unreferenced shard", collect=collect_unreferenced),
        _mutant("gc of every segment", collect=collect_segments),
        _mutant("entry before its shards", keeper=EntryFirst),
        _mutant("no hash in shard names", keeper=NoHashInNames),
        _mutant(
            "admission repeated, own rank ignored",
            "hits of a batch's own rank are passed over and inserts are idempotent",
            keeper=Repeated,
        ),
    )
}
