"""What a corpus holds, as one number."""

from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.verify.proofs import CorpusDigest
from seedcorn.storage.log.log import read_log
from seedcorn.storage.stores.store import Store
from seedcorn.storage.verify.rows import read_batch_table, rows_of


def corpus_digest(store: Store) -> str:
    """64 hex digits over every committed sample: generation, index, id, outcome, text, reasoning,
    reason and duplicate_of in plan order. Equal however the corpus was cut, by however many workers.
    """
    digest = CorpusDigest()
    for entry in read_log(store):
        if isinstance(entry.body, BatchCommitted):
            digest.add(rows_of(read_batch_table(store, entry.body)))
    return digest.hexdigest()
