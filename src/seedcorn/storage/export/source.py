"""The corpus as an export reads it: one pass over the log, then shards in plan order.

Invariant: what is read is what the log says up to one entry, whatever is appended meanwhile.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from seedcorn.core.errors import ObjectMissing
from seedcorn.core.export.exports import ExportError
from seedcorn.core.export.manifest import Manifest
from seedcorn.core.ledger.document import LedgerDocument
from seedcorn.core.ledger.ledger import Ledger, to_json
from seedcorn.core.log.entries import BatchCommitted, Entry, ObjectRef, Withdrawn
from seedcorn.core.log.state import CorpusState, abandoned_in
from seedcorn.core.recipe import LedgerSpec
from seedcorn.storage.log.log import Head, LogReader
from seedcorn.storage.log.reading import read_deltas
from seedcorn.storage.log.withdrawals import read_ids
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.store import Store


@dataclass(frozen=True, slots=True)
class Batch:
    """One committed batch: its shards of accepted samples, and how many of each stratum."""

    sequence: int
    generation: int
    shards: tuple[ObjectRef, ...]
    strata: dict[str, int]

    @property
    def samples(self) -> int:
        """Accepted samples."""
        return sum(ref.rows for ref in self.shards)


@dataclass(slots=True)
class Corpus:
    """What the log tells an export."""

    store: Store
    state: CorpusState = field(default_factory=CorpusState)
    head: Head = field(default_factory=Head)
    batches: list[Batch] = field(default_factory=list)
    """Those of generations that stand."""
    withdrawals: list[tuple[int, Withdrawn]] = field(default_factory=list)
    """(sequence, entry)"""
    ledger: LedgerDocument = field(default_factory=lambda: to_json(Ledger()))
    created: str = ""
    modified: str = ""
    """Days (ISO 8601, UTC) of the first and the last entry, as its writers measured them."""

    def withdrawn(self, since: int = 0) -> frozenset[str]:
        """Ids of samples withdrawn by entries from number `since` on."""
        parts = [read_ids(self.store, body.ids) for at, body in self.withdrawals if at >= since]
        return frozenset().union(*parts)

    def given_up(self, since: int = 0) -> frozenset[str]:
        """Ids of accepted samples of generations that were abandoned from entry `since` on."""
        shards = [
            ref
            for one in self.state.abandoned.values()
            if one.abandoned >= since
            for ref in one.shards
        ]
        tables = (read_shard(self.store, ref, ["sample_id"]) for ref in shards)
        return frozenset(name for table in tables for name in table["sample_id"].to_pylist())

    def touched(self) -> set[int]:
        """Generations with withdrawn samples."""
        return {int(number) for _, body in self.withdrawals for number in body.counts}


def read_corpus(store: Store, exported: Manifest | None, target: str) -> Corpus:
    """Fold the log; raises ObjectMissing where there is none, ExportError where `exported`, which
    stands at `target`, is of another corpus."""
    found, reader = Corpus(store), LogReader(store)
    ledger = Ledger(LedgerSpec().fingerprints, abandoned=abandoned_in(LogReader(store)))
    for entry in reader:
        found.state.apply(entry)
        ledger.apply(entry, read_deltas(store, entry))
        _note(found, entry)
        found.head = reader.head
        if exported and found.head.sequence == exported.sequence:
            _require_head(found.head, exported, target)
    if not found.head.sequence:
        raise ObjectMissing(f"{store.uri} holds no corpus: there is no log under it")
    if exported and exported.sequence > found.head.sequence:
        raise ExportError(
            f"{target} covers {exported.sequence} log entries, {store.uri} has "
            f"{found.head.sequence}: it is another corpus, or an older copy; give another target"
        )
    found.ledger = to_json(ledger)
    found.batches = [batch for batch in found.batches if batch.generation in found.state.standing]
    return found


def _require_head(head: Head, exported: Manifest, target: str) -> None:
    if head.previous != exported.head:
        raise ExportError(
            f"{target} holds the export of another corpus: log entry {head.sequence - 1} has sha256 "
            f"{head.previous[:16]} here and {exported.head[:16]} there; give another target"
        )


def _note(found: Corpus, entry: Entry) -> None:
    found.modified = datetime.fromtimestamp(entry.at, UTC).date().isoformat()
    found.created = found.created or found.modified
    match entry.body:
        case BatchCommitted() as body:
            strata = {name: of.get("accepted", 0) for name, of in body.strata.items()}
            batch = Batch(entry.sequence, body.generation, tuple(body.data), strata)
            found.batches.append(batch)
        case Withdrawn() as body:
            found.withdrawals.append((entry.sequence, body))
