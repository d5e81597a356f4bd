"""Damages grown corpora the way accidents and tampering do: bytes, objects, entries, rows.

`reforge` writes a log whose chain is intact again after bodies were changed, so that only what an
entry says can be wrong, never how it is chained.
"""

from dataclasses import replace

import pyarrow as pa

from seedcorn.core.log.entries import GENESIS, BatchCommitted, Entry, chain_hash, encode
from seedcorn.core.log.layout import CHECKPOINTS, LOG, log_key, parse_shard
from seedcorn.storage.log.log import read_log
from seedcorn.storage.samples.samples import read_shard, write_shard
from seedcorn.storage.stores.memory import MemoryStore


def copy_of(store, name):
    """Another memory store with the same objects."""
    other = MemoryStore(name)
    for info in store.list(""):
        other.put(info.key, store.get(info.key))
    return other


def batches(store):
    """(sequence, body) of every committed batch."""
    return [(e.sequence, e.body) for e in read_log(store) if isinstance(e.body, BatchCommitted)]


def reforge(store, changes):
    """Replace bodies by sequence number (None removes the entry), then chain everything anew.

    Checkpoints, which are bound to the old chain, go: they are a cache, and may be missing.
    """
    kept = [
        (entry.writer, entry.at, changes.get(entry.sequence, entry.body))
        for entry in read_log(store)
    ]
    for info in [*store.list(LOG), *store.list(CHECKPOINTS)]:
        store.delete(info.key)
    previous = GENESIS
    for sequence, (writer, at, body) in enumerate(item for item in kept if item[2] is not None):
        data = encode(Entry(sequence, writer, previous, at, body))
        store.put(log_key(sequence), data)
        previous = chain_hash(data)


def reshard(store, sequence, role, change):
    """Rewrite the first shard of a batch with `change(rows)` (a list of dicts), log included."""
    body = next(body for number, body in batches(store) if number == sequence)
    refs = list(getattr(body, role))
    table = read_shard(store, refs[0])
    changed = pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema)
    ref = write_shard(store, changed, replace(parse_shard(refs[0].key), sha16=""))
    if ref.key != refs[0].key:
        store.delete(refs[0].key)
    reforge(store, {sequence: replace(body, **{role: [ref, *refs[1:]]})})


def texts_of(store, body):
    """Accepted texts of a batch."""
    return [text for ref in body.data for text in read_shard(store, ref)["text"].to_pylist()]
