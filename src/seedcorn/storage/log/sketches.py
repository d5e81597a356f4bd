"""Sketch deltas as small Parquet files, named by their content.

A file holds one batch's shingle counts, sorted as in memory, with the sample rate and the versions
that give its hashes a meaning. Written whole with one upload; read only when its sha256 is the one
that the log committed.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.core.errors import CorruptCorpus, FormatError, StoreError
from seedcorn.core.identity import sha256_hex
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.layout import SKETCHES
from seedcorn.core.sketch.sketch import COLUMNS, Delta, thin
from seedcorn.core.text.fingerprint import FINGERPRINT_VERSION
from seedcorn.storage.stores.parquet_objects import row_count, table_of
from seedcorn.storage.stores.store import Store

FORMAT = 1
"""Version of the file's columns; any other is refused by name."""
_VERSIONS = {b"seedcorn_sketch": FORMAT, b"seedcorn_fingerprint": FINGERPRINT_VERSION}
_RATE = b"seedcorn_sketch_rate"
_ENCODING: dict[str, Any] = {
    "compression": "zstd",
    "use_dictionary": [name for name in COLUMNS if name != "hash"],
    "column_encoding": {"hash": "DELTA_BINARY_PACKED"},
}
"""Sorted uniform hashes differ by few bits; the other columns take few distinct values."""


def write_delta(store: Store, delta: Delta, rate: float) -> ObjectRef:
    """Write the delta at this sample rate (or its own, if lower); durable when this returns.

    Equal deltas get the same key and the same bytes, so a retry changes nothing. Raises StoreError.
    """
    delta = thin(delta, rate)
    data = _encode(delta)
    sha256 = sha256_hex(data)
    key = f"{SKETCHES}{sha256[:16]}.parquet"
    store.put(key, data)
    return ObjectRef(key, len(data), sha256, len(delta))


def read_delta(store: Store, ref: ObjectRef) -> Delta:
    """A committed delta with its rate.

    Raises CorruptCorpus naming the key when the bytes are not those that the log committed,
    FormatError when another version of seedcorn wrote them, ObjectMissing when they are gone.
    """
    data = store.get(ref.key)
    if sha256_hex(data) != ref.sha256:
        raise CorruptCorpus(
            f"{ref.key} holds {len(data)} bytes whose sha256 is not the one the log committed; "
            "restore the object; the ledger cannot be computed without it"
        )
    table = table_of(data)
    metadata = table.schema.metadata or {}
    _check_versions(ref.key, metadata)
    if table.num_rows != ref.rows:
        raise CorruptCorpus(f"{ref.key} holds {table.num_rows} rows, the log says {ref.rows}")
    columns = (table[name].to_numpy() for name in COLUMNS)
    return Delta(*columns, rate=float(metadata[_RATE]))


def _encode(delta: Delta) -> bytes:
    metadata = {key: str(version).encode() for key, version in _VERSIONS.items()}
    metadata[_RATE] = repr(delta.rate).encode()
    columns = {name: pa.array(np.ascontiguousarray(getattr(delta, name))) for name in COLUMNS}
    table = pa.table(columns).replace_schema_metadata(metadata)
    sink = BytesIO()
    pq.write_table(table, sink, **_ENCODING)
    data = sink.getvalue()
    rows = row_count(data)
    if rows != len(delta):
        raise StoreError(f"a sketch of {len(delta)} rows was encoded as {rows}")
    return data


def _check_versions(key: str, metadata: Mapping[bytes, bytes]) -> None:
    for name, known in _VERSIONS.items():
        found = metadata.get(name, b"none").decode()
        if found != str(known):
            raise FormatError(
                f"{key} has {name.decode()} version {found}, this seedcorn reads {known}: use the "
                "version that wrote it"
            )
