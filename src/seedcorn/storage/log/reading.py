"""Reading a corpus: the folds of its log, with the sketches its entries name."""

from collections.abc import Iterable, Sequence

from seedcorn.core.errors import ObjectMissing
from seedcorn.core.ledger.ledger import Ledger
from seedcorn.core.log.entries import BatchCommitted, Entry, Measurement, Withdrawn
from seedcorn.core.log.layout import SKETCHES
from seedcorn.core.log.state import CorpusState, abandoned_in
from seedcorn.core.recipe import LedgerSpec
from seedcorn.core.sketch.sketch import Delta
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.sketches import read_delta
from seedcorn.storage.stores.store import Store


def read_deltas(store: Store, entry: Entry) -> list[Delta] | None:
    """The sketches that an entry names, in order; None for an entry that names none, or something
    else: the objects of some measurements are no sketches."""
    body = entry.body
    if isinstance(body, Measurement):
        if not all(ref.key.startswith(SKETCHES) for ref in body.objects):
            return None
        return [read_delta(store, ref) for ref in body.objects]
    if isinstance(body, BatchCommitted | Withdrawn) and body.sketch is not None:
        return [read_delta(store, body.sketch)]
    return None


def read_state(store: Store, entries: Iterable[Entry] | None = None) -> CorpusState:
    """The corpus as its log tells it; raises ObjectMissing where there is no log."""
    state = CorpusState()
    for entry in read_log(store) if entries is None else entries:
        state.apply(entry)
    if state.sequence == 0:
        raise ObjectMissing(f"{store.uri} holds no corpus: there is no log under it")
    return state


def read_ledger(store: Store, entries: Sequence[Entry] | None = None) -> Ledger:
    """The ledger, folded from log and sketches alone; of these entries only, where given."""
    # Read twice rather than held: what is abandoned must be known before its batches are met.
    abandoned = abandoned_in(read_log(store) if entries is None else entries)
    ledger = Ledger(LedgerSpec().fingerprints, abandoned=abandoned)
    for entry in read_log(store) if entries is None else entries:
        ledger.apply(entry, read_deltas(store, entry))
    return ledger
