"""Columns that a corpus cannot fill: refused before anything is written, not exported as nulls.

A prompt is stored where the recipe said so while the sample was written; a trace, where the model
wrote one. Both are counted in the footers of the shards, so that nothing is read for it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow.parquet as pq

from seedcorn.core.export.exports import COLUMNS, ExportError
from seedcorn.core.log.entries import ObjectRef
from seedcorn.storage.stores.store import Store

PROMPT, REASONING = "prompt", "reasoning"
THREADS = 4
Named = tuple[int, ObjectRef]
"""A shard and the generation it belongs to."""


def require_filled(
    store: Store, shards: Sequence[Named], columns: Sequence[str], first: bool
) -> None:
    """Raise ExportError, naming every column, where samples have no value to give.

    A sample without a trace is no gap unless all are, in the `first` export to a target.
    """
    asked = [name for name in columns if name in (PROMPT, REASONING)]
    if not asked or not shards:
        return
    missing = Counter[tuple[str, int]]()
    with ThreadPoolExecutor(THREADS, "seedcorn-footers") as threads:
        for counts in threads.map(lambda named: _missing(store, named, asked), shards):
            missing += counts
    total = sum(ref.rows for _, ref in shards)
    if gaps := list(_gaps(missing, total if first else 0)):
        raise ExportError(f"--columns: {'; '.join(gaps)}; leave it out")


def _missing(store: Store, named: Named, asked: Sequence[str]) -> "Counter[tuple[str, int]]":
    generation, ref = named
    with store.open(ref.key) as handle:
        footer = pq.read_metadata(handle)
    counts = Counter[tuple[str, int]]()
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        by_name = {group.column(n).path_in_schema: n for n in range(group.num_columns)}
        for name in asked:
            statistics = group.column(by_name[COLUMNS[name]]).statistics
            counts[name, generation] += statistics.null_count
    return counts


def _gaps(missing: "Counter[tuple[str, int]]", total: int) -> Iterator[str]:
    """Every column that cannot be filled, as a sentence; `total` samples without a trace are all."""
    without = sorted(number for name, number in missing if name == PROMPT)
    if without:
        which = ", ".join(map(str, without))
        yield (
            f"`{PROMPT}` cannot be filled: samples of generation {which} were written without "
            "`keep_prompt: true` in the recipe"
        )
    traceless = sum(count for (name, _), count in missing.items() if name == REASONING)
    if total and traceless == total:
        yield f"`{REASONING}` cannot be filled: no sample has a trace"
