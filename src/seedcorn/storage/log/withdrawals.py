"""Withdrawn samples: ids in a Parquet file that a `withdrawn` entry names. Readers skip them."""

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.identity import sha256_hex
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.layout import MEASUREMENTS
from seedcorn.core.log.state import CorpusState
from seedcorn.storage.stores.parquet_objects import table_of
from seedcorn.storage.stores.store import Store

SCHEMA = pa.schema([("sample_id", pa.string()), ("generation", pa.int32())])


def write_ids(store: Store, ids: list[tuple[str, int]]) -> ObjectRef:
    """Store (sample id, generation) pairs under a content-addressed key."""
    rows = {"sample_id": [i for i, _ in ids], "generation": [g for _, g in ids]}
    sink = BytesIO()
    pq.write_table(pa.table(rows, schema=SCHEMA), sink, compression="zstd")
    data = sink.getvalue()
    sha256 = sha256_hex(data)
    key = f"{MEASUREMENTS}withdrawn-{sha256[:16]}.parquet"
    store.put(key, data)
    return ObjectRef(key, len(data), sha256, len(ids))


def read_ids(store: Store, ref: ObjectRef) -> frozenset[str]:
    """Sample ids of one entry; raises CorruptCorpus when the file is not the one committed."""
    data = store.get(ref.key)
    if sha256_hex(data) != ref.sha256:
        raise CorruptCorpus(f"{ref.key} does not have the sha256 the log committed")
    return frozenset(table_of(data)["sample_id"].to_pylist())


def withdrawn_ids(store: Store, state: CorpusState) -> frozenset[str]:
    """Every sample id that readers must skip."""
    parts = [read_ids(store, entry.ids) for entry in state.withdrawn]
    return frozenset().union(*parts)
