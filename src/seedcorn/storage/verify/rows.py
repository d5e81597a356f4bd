"""Committed batches read back whole: bytes held against the log, rows in plan order.

One batch is in memory at a time, accepted and dropped rows together, ordered by plan index: from
here on it does not matter how the corpus was cut into shards.
"""

import pyarrow as pa

from seedcorn.core.errors import CorruptCorpus, ObjectMissing
from seedcorn.core.identity import sha256_hex
from seedcorn.core.log.entries import BatchCommitted, ObjectRef
from seedcorn.core.verify.proofs import BatchRows
from seedcorn.storage.samples.samples import DATA_SCHEMA, DROPPED_SCHEMA, UNIQUE_TOKENS
from seedcorn.storage.stores.parquet_objects import table_of
from seedcorn.storage.stores.store import Store

_SHARED = [name for name in BatchRows.__slots__ if name in DATA_SCHEMA.names]
_OWN = [
    name
    for name in BatchRows.__slots__
    if name in DROPPED_SCHEMA.names and name not in DATA_SCHEMA.names
]
"""Columns that only dropped rows carry: outcome, reason, duplicate_of."""
SCHEMA = pa.schema([*(DROPPED_SCHEMA.field(name) for name in (*_SHARED, *_OWN)), UNIQUE_TOKENS])


def read_object(store: Store, ref: ObjectRef) -> bytes:
    """An object that the log names; raises CorruptCorpus unless size and sha256 are the log's."""
    try:
        data = store.get(ref.key)
    except ObjectMissing as error:
        raise CorruptCorpus(f"{ref.key} is missing, but the log committed it") from error
    if len(data) != ref.bytes or sha256_hex(data) != ref.sha256:
        raise CorruptCorpus(
            f"{ref.key} is not what the log committed: {len(data)} bytes of sha256 "
            f"{sha256_hex(data)[:16]}, not {ref.bytes} bytes of {ref.sha256[:16]}"
        )
    return data


def read_batch_table(store: Store, batch: BatchCommitted) -> pa.Table:
    """All rows of a committed batch in plan order, columns as in `SCHEMA`."""
    parts = [SCHEMA.empty_table()]
    for ref in batch.data:
        expected = DATA_SCHEMA.append(UNIQUE_TOKENS) if batch.unique else DATA_SCHEMA
        table = _read(store, ref, expected)
        blank = pa.array([""] * table.num_rows, pa.string())
        for name in _OWN:
            table = table.append_column(
                name, pa.array(["accepted"] * table.num_rows) if name == "outcome" else blank
            )
        parts.append(table if batch.unique else _without_unique_tokens(table))
    for ref in batch.dropped:
        parts.append(_without_unique_tokens(_read(store, ref, DROPPED_SCHEMA)))
    parts = [part.select(SCHEMA.names).cast(SCHEMA) for part in parts]
    return pa.concat_tables(parts).sort_by("index").combine_chunks()


def _without_unique_tokens(table: pa.Table) -> pa.Table:
    return table.append_column(UNIQUE_TOKENS, pa.nulls(table.num_rows, UNIQUE_TOKENS.type))


def rows_of(table: pa.Table) -> BatchRows:
    """The columns as plain values; a missing text, reason or name is empty."""
    columns = {name: table[name].to_pylist() for name in SCHEMA.names}
    for name in ("text", *_OWN):
        columns[name] = [value or "" for value in columns[name]]
    return BatchRows(**columns)


def _read(store: Store, ref: ObjectRef, schema: pa.Schema) -> pa.Table:
    data = read_object(store, ref)
    try:
        table = table_of(data)
    except (pa.ArrowInvalid, OSError) as error:
        raise CorruptCorpus(f"{ref.key} is not a Parquet file: {error}") from error
    if table.num_rows != ref.rows:
        raise CorruptCorpus(f"{ref.key} holds {table.num_rows} rows, the log says {ref.rows}")
    if not table.schema.equals(schema):
        missing = [field.name for field in schema if field not in list(table.schema)]
        raise CorruptCorpus(
            f"{ref.key} does not have the columns of a shard: {missing or 'more'} differ"
        )
    return table
