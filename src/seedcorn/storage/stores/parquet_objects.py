"""Parquet objects, decoded by the calling thread alone.

Arrow's own threads outlive a read that they took part in, and one that lets go of a Python object
while the interpreter exits ends the process with SIGABRT (apache/arrow issues 34314 and 45017).
"""

from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq


def table_of(data: bytes, columns: list[str] | None = None) -> pa.Table:
    """The rows of `columns` in that order (None: all of them); raises OSError or pa.ArrowException for
    bytes that are none, KeyError for a column that is not there."""
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        table = file.read(columns, use_threads=False)
    return table if columns is None else table.select(columns)


def column_of(handle: BinaryIO, name: str) -> list[Any]:
    """One column of a file, read by ranges; raises as `table_of`, and what `handle` raises."""
    return pq.ParquetFile(handle).read([name], use_threads=False)[name].to_pylist()


def row_count(data: bytes) -> int:
    """Rows according to the footer; raises as `table_of`."""
    return pq.read_metadata(pa.BufferReader(data)).num_rows
