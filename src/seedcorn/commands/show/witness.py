"""The documents that duplicates repeat, looked up by the names their verdicts gave."""

from collections.abc import Sequence

import pyarrow as pa

from seedcorn.commands.show.choice import Row
from seedcorn.core.dedup.sealing import HELD_OUT
from seedcorn.core.errors import SeedError
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState, Source
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.row_names import row_of
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.seeds.seeds import Catalogue, SeedReader
from seedcorn.storage.stores.parquet_objects import column_of
from seedcorn.storage.stores.store import Store


def witnesses(
    store: Store, spec: StoreSpec, state: CorpusState, dropped: Sequence[Row]
) -> dict[str, str]:
    """Text of every witness that these rows name; what cannot be read says so instead."""
    named = {row["duplicate_of"]: row["reason"] for row in dropped if row["duplicate_of"]}
    found: dict[str, str] = {}
    rules = rules_of(state)
    for name, reason in named.items():
        if (place := row_of(name, rules)) is not None:
            source = _source(state, reason.rpartition(":")[2], place[0])
            found[name] = _source_text(store, spec, source, place[1])
    last = max((row["generation"] for row in dropped), default=0)
    shards = [ref for n, one in state.standing.items() if n <= last for ref in one.shards]
    return found | _samples(store, shards, named.keys() - found.keys())


def _source_text(store: Store, spec: StoreSpec, source: Source | None, row: int) -> str:
    if source is None:
        return "(its source is not in the log)"
    try:
        reader = SeedReader(Catalogue.from_dict(source.catalogue), store, spec)
        (parent,) = reader.read([row])
    except SeedError as error:
        return f"(cannot be read here: {error})"
    return parent.text if parent.text is not None else f"(unusable row: {parent.problem})"


def _source(state: CorpusState, role: str, name: str) -> Source | None:
    role = "seed" if role == HELD_OUT else role
    return next((source for source in state.sources_of(role) if source.name == name), None)


def _samples(store: Store, shards: Sequence[ObjectRef], ids: set[str]) -> dict[str, str]:
    """Texts of accepted samples; only the id columns of shards without a match are read."""
    found: dict[str, str] = {}
    for ref in shards:
        if found.keys() == ids:
            break
        with store.open(ref.key) as handle:
            sample_ids = column_of(handle, "sample_id")
        if ids.intersection(sample_ids):
            table: pa.Table = read_shard(store, ref, ["sample_id", "text"])
            texts = zip(table["sample_id"].to_pylist(), table["text"].to_pylist(), strict=True)
            found |= {name: text for name, text in texts if name in ids}
    return found
