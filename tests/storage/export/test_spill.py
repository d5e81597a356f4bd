"""The first pass: whatever the runs, row groups come back whole and in order."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.errors import StoreError
from seedcorn.core.export.exports import shard_plan
from seedcorn.core.export.shuffle import Shuffle
from seedcorn.storage.export.spill import RUN_BYTES, Spill, run_bytes

SCHEMA = pa.schema(
    [("text", pa.string()), ("parents", pa.list_(pa.string())), ("number", pa.int64())]
)


def table(start, stop):
    names = [f"row {number} " * (number % 7) for number in range(start, stop)]
    lists = [[str(number)] * (number % 3) for number in range(start, stop)]
    columns = {"text": names, "parents": lists, "number": list(range(start, stop))}
    return pa.table(columns, schema=SCHEMA)


def spilled(folder, rows, key, group, run, step=37):
    planned = shard_plan(rows, 10.0, 10.0, target=rows * 10 // 3 + 1, group=group * 10)
    spill = Spill(folder, planned, run)
    shuffle = Shuffle(rows, key)
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        spill.add(table(start, stop), shuffle.positions(start, stop))
    spill.flush()
    return planned, spill


@given(
    st.integers(1, 300), st.one_of(st.none(), st.integers(0, 99)), st.integers(1, 50),
    st.integers(1, 9000), st.integers(1, 80),
)  # fmt: skip
def test_every_row_comes_back_once_at_its_position(tmp_path_factory, rows, key, group, run, step):
    folder = tmp_path_factory.mktemp("spill")
    planned, spill = spilled(folder, rows, key, group, run, step)
    groups = [spill.group(number) for number in range(len(planned.groups))]
    assert [found.num_rows for found in groups] == [stop - start for start, stop in planned.groups]
    whole = pa.concat_tables(groups)
    expected = np.empty(rows, np.int64)
    expected[Shuffle(rows, key).positions(0, rows)] = np.arange(rows)
    assert whole["number"].to_pylist() == expected.tolist()
    original = table(0, rows).take(pa.array(expected))
    assert whole["parents"].to_pylist() == original["parents"].to_pylist()
    assert whole["text"].to_pylist() == original["text"].to_pylist()


def test_runs_are_written_when_they_are_full(tmp_path):
    spilled(tmp_path, 300, 1, 20, 2000)
    assert 5 < len(list(tmp_path.glob("run-*.arrow"))) < 9


def test_lost_rows_are_noticed(tmp_path):
    planned = shard_plan(10, 10.0, 10.0)
    spill = Spill(tmp_path, planned, 1000)
    spill.add(table(0, 9), np.arange(9))
    spill.flush()
    with pytest.raises(StoreError, match="rows 0 to 10 of the shuffle came back as 9"):
        spill.group(0)
    with pytest.raises(StoreError, match="came back as 0"):
        Spill(tmp_path, planned, 1000).group(0)


def test_disk_that_refuses_is_a_clear_error(tmp_path):
    spill = Spill(tmp_path / "not there", shard_plan(10, 10.0, 10.0), 1000)
    spill.add(table(0, 10), np.arange(10))
    with pytest.raises(StoreError, match="set TMPDIR to a folder with more space"):
        spill.flush()


def test_runs_grow_with_the_export_so_that_few_files_stay_open():
    assert run_bytes(10_000, 1000.0) == RUN_BYTES
    assert run_bytes(10**9, 1000.0) == 10**12 // 256
