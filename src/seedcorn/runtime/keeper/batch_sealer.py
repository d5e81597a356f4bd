"""Seals batches: reads the segments, has the batch decided, writes the shards a log entry will name."""

from seedcorn.core.dedup.batch import SealRule, decide
from seedcorn.core.dedup.containment import LENGTH as CONTAINMENT_LENGTH
from seedcorn.core.dedup.containment import Containment
from seedcorn.core.dedup.entry import Written, accepted_texts, entry_of, marks_of, sketch_of
from seedcorn.core.dedup.sealing import Ancestry, SealRequest
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.log.layout import ShardName
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import Delta
from seedcorn.core.sketch.unique_tokens import first_held, sums_by_stratum
from seedcorn.core.text.shingles import subset
from seedcorn.core.text.words import TextRule
from seedcorn.runtime.keeper.index_client import IndexClient
from seedcorn.storage.log.sketches import write_delta
from seedcorn.storage.samples.batches import read_batch, staged_batch, write_accepted, write_dropped
from seedcorn.storage.stores.store import Store


class BatchSealer:
    """Seals the batches of one corpus, one after the other."""

    def __init__(
        self, store: Store, index: IndexClient, containment: Containment, rule: TextRule
    ) -> None:
        """`index` and `containment` hold everything before the next batch, read by `rule`."""
        self._store, self._index, self._containment = store, index, containment
        self._rule = rule

    def seal(
        self,
        request: SealRequest,
        ancestry: Ancestry,
        rule: SealRule,
        history: History | None = None,
    ) -> tuple[BatchCommitted, Delta]:
        """Write one batch; returns the entry that makes it exist, and its sketch. `history` holds
        everything before the batch; None where unique tokens are not the ledger's unit."""
        store, first, last = self._store, request.first_index, request.last_index
        table, lost = read_batch(store, request.segments, first, last)
        batch = staged_batch(table, lost, self._rule)
        outcomes = decide(batch, self._index, ancestry, request, rule)
        delta = sketch_of(batch, outcomes, rule)
        units = (request.generation, request.first_unit, request.last_unit, "")
        held = None
        if history is not None:
            texts = accepted_texts(batch, outcomes, rule)
            held = first_held(delta, history, request.generation, texts)
        brought = held.tokens if held is not None else None
        data = write_accepted(store, table, outcomes.accepted, ShardName("data", *units), brought)
        dropped = write_dropped(store, table, outcomes.columns, ShardName("dropped", *units))
        sketch = write_delta(store, delta, delta.rate)
        kept = subset(batch.shingles[CONTAINMENT_LENGTH], outcomes.accepted)
        contained = self._containment.measure(kept.hashes, kept.offsets)
        marks = marks_of(batch, outcomes, rule)
        unique = sums_by_stratum(held, batch.strata) if held is not None else {}
        written = Written(data, dropped, sketch, delta.rate, contained, marks, unique)
        return entry_of(batch, outcomes, request, written), delta
