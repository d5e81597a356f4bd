"""Shards of an export: encoded on local disk row group by row group, proved, sent in one upload."""

import hashlib
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.core.errors import StoreError
from seedcorn.core.export.exports import PlannedShard
from seedcorn.core.export.manifest import Shard, shard_key
from seedcorn.storage.export.spill import Spill, disk_error
from seedcorn.storage.stores.store import Store

_UNIQUE = {"id", "text", "reasoning", "prompt", "index", "seed", "copy"}
"""Columns that a dictionary would only make larger."""


def measured(tables: Iterable[pa.Table]) -> tuple[float, float]:
    """(encoded, decoded) bytes per row of some tables, encoded as shards are."""
    rows = encoded = decoded = 0
    for table in tables:
        sink = BytesIO()
        with _writer(sink, table.schema) as writer:
            writer.write_table(table)
        rows, encoded = rows + table.num_rows, encoded + sink.tell()
        decoded += table.nbytes
    return (encoded / rows, decoded / rows) if rows else (0.0, 0.0)


def groups_of(spill: Spill, shard: PlannedShard, first: int) -> Iterator[pa.Table]:
    """The row groups of a planned shard; `first` is the number of its first one."""
    return (spill.group(first + number) for number in range(len(shard.groups)))


def encoded(
    folder: Path, schema: pa.Schema, groups: Iterable[pa.Table], increment: int, number: int
) -> tuple[Path, Shard]:
    """A closed, reopened, counted and hashed Parquet file. Raises StoreError.

    Only one of `groups` is held at a time.
    """
    path, rows = folder / f"shard-{increment}-{number}.parquet", 0
    try:
        with _writer(str(path), schema) as writer:
            for table in groups:
                rows += table.num_rows
                writer.write_table(table.cast(schema), row_group_size=max(1, table.num_rows))
        stored = pq.read_metadata(path).num_rows
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        size = path.stat().st_size
    except OSError as error:
        raise disk_error(folder, error) from error
    if stored != rows:
        raise StoreError(f"{path}: {rows} rows were encoded but the file holds {stored}")
    return path, Shard(shard_key(increment, number, sha256), rows, size, sha256)


def send(target: Store, there: dict[str, int], path: Path, shard: Shard) -> bool:
    """Upload unless the same bytes lie there already; returns whether it did. Raises StoreError."""
    known = there.get(shard.key) == shard.bytes
    if not known:
        target.put(shard.key, path)
        there[shard.key] = shard.bytes
    path.unlink()
    return not known


def _writer(sink: Any, schema: pa.Schema) -> pq.ParquetWriter:
    repeating: Any = [name for name in schema.names if name not in _UNIQUE]
    return pq.ParquetWriter(sink, schema, compression="zstd", use_dictionary=repeating)
