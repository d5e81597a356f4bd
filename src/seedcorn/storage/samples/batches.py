"""A batch between its segments and its shards, as Arrow tables."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedcorn.core.dedup.batch import Lost, StagedBatch
from seedcorn.core.dedup.sealing import winners
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.layout import ShardName
from seedcorn.core.sample import Outcome
from seedcorn.core.scheduling.goodput import summed
from seedcorn.core.sketch.sketch import LENGTHS
from seedcorn.core.sketch.unique_tokens import own_tokens
from seedcorn.core.text.shingles import shingles_of
from seedcorn.core.text.words import TextRule, read_words
from seedcorn.storage.samples.samples import (
    DATA_SCHEMA,
    DROPPED_SCHEMA,
    ENGINE_SECONDS,
    IN_FLIGHT,
    SEGMENT_SCHEMA,
    UNIQUE_TOKENS,
    fingerprints_of,
    read_segment,
    write_shard,
)
from seedcorn.storage.stores.store import Store

_NO_TEXT = pa.array([], pa.string())


def read_batch(
    store: Store, segments: Sequence[str], first: int, last: int
) -> tuple[pa.Table, Lost]:
    """The rows that count, one per index of [first, last] in plan order, and what the rows that lost
    had cost: work done twice was paid for, once however often its segment is named.

    Raises CorruptCorpus when a segment is damaged or an index has no row, ObjectMissing.
    """
    # Sorted, so that of two equal rows the same one counts whatever order the segments came in.
    loaded = [read_segment(store, key) for key in sorted(set(segments))]
    table = pa.concat_tables([SEGMENT_SCHEMA.empty_table(), *loaded])
    rows = winners(table["index"].to_numpy(), table["content_hash"].to_numpy(), first, last)
    beaten = table.take(pa.array(np.delete(np.arange(table.num_rows), rows)))
    return table.take(pa.array(rows)).combine_chunks(), _lost(beaten)


def _lost(beaten: pa.Table) -> Lost:
    if not beaten.num_rows:
        return Lost()
    strata = beaten["stratum"].to_pylist()
    return Lost(
        float(beaten[ENGINE_SECONDS].to_numpy().sum()),
        summed(strata, beaten[IN_FLIGHT].to_pylist()),
        int(beaten["completion_tokens"].to_numpy().sum()),
        int(beaten["prompt_tokens"].to_numpy().sum()),
    )


def staged_batch(table: pa.Table, lost: Lost, rule: TextRule) -> StagedBatch:
    """The columns that decide a batch, its texts read by `rule`; `lost` as `read_batch` says."""
    outcomes = table["outcome"].to_pylist()
    candidates = np.flatnonzero([outcome == Outcome.CANDIDATE for outcome in outcomes])
    words = read_words(*texts_view(table["text"]), rule)
    return StagedBatch(
        index=table["index"].to_numpy(),
        outcomes=outcomes,
        reasons=table["reason"].to_pylist(),
        details=table["detail"].to_pylist(),
        strata=table["stratum"].to_pylist(),
        texts=table["text"].to_pylist(),
        shingles={length: shingles_of(words, length) for length in LENGTHS},
        prints=fingerprints_of(table.take(pa.array(candidates))),
        prompt_tokens=table["prompt_tokens"].to_numpy(),
        tokens=table["completion_tokens"].to_numpy(),
        own_tokens=own_tokens_of(table),
        seconds=table[ENGINE_SECONDS].to_pylist(),
        in_flight=table[IN_FLIGHT].to_pylist(),
        lost=lost,
        words=words,
    )


def own_tokens_of(table: pa.Table) -> NDArray[np.int64]:
    """[n]: tokens of the rows' texts alone, without traces."""
    tokens = table["completion_tokens"].to_numpy().astype(np.int64)
    text, trace = (texts_view(table[name].fill_null(""))[1] for name in ("text", "reasoning"))
    return own_tokens(tokens, np.diff(text), np.diff(trace))


def texts_view(texts: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Texts, none null, as (uint8 buffer, int64[n + 1] offsets) for the kernels."""
    whole = texts if isinstance(texts, pa.Array) else pa.concat_arrays(texts.chunks or [_NO_TEXT])
    array = pc.cast(whole, pa.large_string())
    _, offsets, data = array.buffers()
    view = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    return np.frombuffer(data if data is not None else b"", np.uint8), view


def write_accepted(
    store: Store,
    table: pa.Table,
    kept: NDArray[np.bool_],
    name: ShardName,
    unique_tokens: NDArray[np.float64] | None = None,
) -> list[ObjectRef]:
    """The data shard of a batch, or none where nothing was accepted. `unique_tokens` has shape
    [n]; None where they are not the ledger's unit."""
    accepted = table.filter(pa.array(kept)).select(DATA_SCHEMA.names).cast(DATA_SCHEMA)
    if unique_tokens is not None:
        accepted = accepted.append_column(UNIQUE_TOKENS, pa.array(unique_tokens[kept]))
    return [write_shard(store, accepted, name)] if accepted.num_rows else []


def write_dropped(
    store: Store, table: pa.Table, columns: dict[str, list[object]], name: ShardName
) -> list[ObjectRef]:
    """The dropped shard: `columns` are the outcome columns of the whole batch, None where kept."""
    for column, values in columns.items():
        typed = pa.array(values, type=DROPPED_SCHEMA.field(column).type)
        table = (
            table.set_column(table.column_names.index(column), column, typed)
            if column in table.column_names
            else table.append_column(column, typed)
        )
    dropped = table.filter(pa.array([value != "accepted" for value in columns["outcome"]]))
    dropped = dropped.select(DROPPED_SCHEMA.names).cast(DROPPED_SCHEMA)
    return [write_shard(store, dropped, name)] if dropped.num_rows else []
