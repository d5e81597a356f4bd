"""A seed of fifty million rows: opening, planning and the first lease do not wait for its size."""

import os
import signal
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.core.generate.plan import Plan, Pool
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.samples.parents import ParentReader
from seedcorn.storage.seeds.seeds import Catalogue, SeedSet, open_catalogue
from seedcorn.storage.stores.local import LocalStore
from tests.runtime.conftest import Loader

GROUPS, GROUP_ROWS = 500, 100_000
ROWS = GROUPS * GROUP_ROWS
FIRST_LEASE_S = 10.0
BOUND = 200 << 20
"""Bytes of Arrow memory that a worker's seed may take: a few decoded row groups. The process
may grow by twice as much."""


@pytest.fixture(scope="session")
def large_seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 million rows in some megabytes: each row group repeats a few texts of its own."""
    path = tmp_path_factory.mktemp("large") / "seed.parquet"
    schema = pa.schema([("text", pa.dictionary(pa.int32(), pa.string()))])
    numbers = pa.array([row % 4 for row in range(GROUP_ROWS)], pa.int32())
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in range(GROUPS):
            texts = pa.array(
                [f"row group {group} says: this is text {n} of mine" for n in range(4)]
            )
            column = pa.DictionaryArray.from_arrays(numbers, texts)
            writer.write_table(pa.table([column], schema), row_group_size=GROUP_ROWS)
    return path


def peak_rss() -> int:
    """Bytes: the largest resident set since the mark was last reset."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def test_large_seed_opens_and_gives_the_first_unit_its_parents_in_bounded_memory(
    large_seed: Path, simulated: Loader, tmp_path: Path
) -> None:
    recipe = simulated().recipe
    Path("/proc/self/clear_refs").write_text("5")
    before, arrow, start = peak_rss(), pa.total_allocated_bytes(), time.monotonic()
    store = LocalStore(tmp_path / "store")
    catalogue = open_catalogue(
        SourceSpec(str(large_seed), "large"), str(tmp_path), store, StoreSpec()
    )
    assert catalogue.rows == ROWS
    # As the worker gets it: through the log's plain values.
    seeds = SeedSet([Catalogue.from_dict(catalogue.to_dict())], store, StoreSpec(), {})
    plan = Plan(recipe, 1, Pool(0, seeds.group_sizes()))
    draws = [plan.draw(index) for index in range(256)]
    wanted = [address for draw in draws for address in draw.parents]
    parents = ParentReader(store, seeds, {}).read(wanted)

    assert time.monotonic() - start < FIRST_LEASE_S
    for _, row in wanted:
        text = f"row group {row // GROUP_ROWS} says: this is text {row % GROUP_ROWS % 4} of mine"
        assert parents[0, row].text == text
    assert len({row // GROUP_ROWS for _, row in wanted}) > 50
    # Not traced: tracemalloc.stop() races with threads of Ray, and ends the process.
    assert pa.total_allocated_bytes() - arrow < BOUND
    assert peak_rss() - before < 2 * BOUND


@pytest.mark.ray
@pytest.mark.timeout(300)
def test_grow_large_seed_first_units_are_staged_while_it_is_still_being_indexed(
    large_seed: Path, simulated: Loader, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    staged_while_indexing: list[int] = []

    def view(snapshot: Snapshot) -> None:
        done, total = snapshot.indexing
        staged = sum(1 for _ in (corpus / "staging").rglob("*.parquet"))
        if staged and done < total and not staged_while_indexing:
            staged_while_indexing.append(staged)
            assert total == ROWS
            assert not (corpus / "data").exists()
            os.kill(os.getpid(), signal.SIGINT)  # Drain: indexing the rest would take minutes.

    loaded = simulated(f"seed.0.path={large_seed}", "seed.0.id=''", "generations=1")
    grown = grow(loaded, view, open_cluster)
    assert staged_while_indexing
    assert not grown.complete
    assert not (corpus / "data").exists()
