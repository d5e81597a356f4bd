"""The shuffle's first pass: rows that came in plan order wait on local disk by their new place.

Rows are gathered until a run is full, ordered by position, and written as one Arrow file with one
record batch per row group. The second pass asks for row groups in order. Memory is one run and its
ordered copy, whatever the export's size; the disk holds the rows once, lightly compressed.
"""

from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedcorn.core.errors import StoreError
from seedcorn.core.export.exports import ShardPlan

RUN_BYTES = 128 << 20
"""Decoded bytes of a run, as long as fewer than MOST_RUNS are needed."""
MOST_RUNS = 256
"""Runs are files that stay open; a larger export has larger runs instead."""
POSITION = "__position"
_LIGHT = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True, slots=True)
class _Run:
    reader: pa.ipc.RecordBatchFileReader
    groups: list[int]
    """The row group of each record batch, ascending."""


class Spill:
    """Rows on their way; one folder, one thread."""

    def __init__(self, folder: Path, plan: ShardPlan, run_bytes: int) -> None:
        """`run_bytes`: decoded bytes of a run."""
        self._folder, self._plan = folder, plan
        self._starts = np.array([start for start, _ in plan.groups], np.int64)
        self._full = run_bytes
        self._waiting: list[pa.Table] = []
        self._bytes = 0
        self._runs: list[_Run] = []

    def add(self, table: pa.Table, positions: NDArray[np.int64]) -> None:
        """Rows and their places. Raises StoreError when the local disk refuses."""
        if not table.num_rows:
            return
        wide = table.cast(_wide(table.schema)).append_column(POSITION, pa.array(positions))
        self._waiting.append(wide)
        self._bytes += wide.nbytes
        if self._bytes >= self._full:
            self.flush()

    def flush(self) -> None:
        """Write what waits; call it once after the last row too."""
        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting).combine_chunks()
        self._waiting, self._bytes = [], 0
        positions = table[POSITION].to_numpy()
        order = np.argsort(positions)
        groups = np.searchsorted(self._starts, positions[order], side="right") - 1
        found, firsts = np.unique(groups, return_index=True)
        path = self._folder / f"run-{len(self._runs):05d}.arrow"
        try:
            with pa.OSFile(str(path), "wb") as sink:
                _write(sink, table, np.split(order, firsts[1:]))
            reader = pa.ipc.open_file(pa.memory_map(str(path)))
        except OSError as error:
            raise disk_error(self._folder, error) from error
        self._runs.append(_Run(reader, found.tolist()))

    def group(self, number: int) -> pa.Table:
        """The rows of a row group, in order, without their positions.

        Raises StoreError when not every position of the group is there exactly once.
        """
        parts = [
            pa.Table.from_batches([run.reader.get_batch(place)])
            for run in self._runs
            if (place := bisect_left(run.groups, number)) < len(run.groups)
            and run.groups[place] == number
        ]
        table = pa.concat_tables(parts) if parts else None
        start, stop = self._plan.groups[number]
        positions = table[POSITION].to_numpy() if table is not None else np.empty(0, np.int64)
        order = np.argsort(positions)
        if not np.array_equal(positions[order], np.arange(start, stop)):
            raise StoreError(
                f"{self._folder}: rows {start} to {stop} of the shuffle came back as "
                f"{len(positions)}; the local disk lost some; run the same command again"
            )
        assert table is not None
        return table.drop_columns([POSITION]).combine_chunks().take(pa.array(order))


def run_bytes(rows: int, decoded: float) -> int:
    """Decoded bytes of a run for so many rows of so many bytes each."""
    return max(RUN_BYTES, int(rows * decoded / MOST_RUNS))


def _write(sink: pa.OSFile, table: pa.Table, slices: list[NDArray[np.int64]]) -> None:
    with pa.ipc.new_file(sink, table.schema, options=_LIGHT) as writer:
        for rows in slices:
            writer.write_batch(table.take(pa.array(rows)).combine_chunks().to_batches()[0])


def _wide(schema: pa.Schema) -> pa.Schema:
    """Texts with 64-bit offsets: a run may hold more than 2 GiB of them."""
    return pa.schema(
        [
            field.with_type(pa.large_string()) if pa.types.is_string(field.type) else field
            for field in schema
        ]
    )


def disk_error(folder: Path, error: OSError) -> StoreError:
    """What to raise when the disk for temporary files fails."""
    return StoreError(
        f"{folder}: cannot hold the rows that are being shuffled: {error}; set TMPDIR to a folder "
        "with more space. Nothing that readers follow was changed"
    )
