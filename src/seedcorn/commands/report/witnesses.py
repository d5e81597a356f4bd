"""Finding duplicates for the report: a few of each kind, with the text of what they repeat.

The same pairs every time: of at most `LOOKED_AT` dropped shards, those with the lowest hashes, the
samples with the lowest ids. Invariant: a page travels further than a corpus, so neither a withdrawn
text nor its duplicates are among them. Memory: one shard and the pairs.
"""

from collections.abc import Sequence
from heapq import nsmallest

from seedcorn.commands.report.pairs import Pair
from seedcorn.commands.show.choice import DROPPED_COLUMNS, LOOKED_AT, Row
from seedcorn.commands.show.witness import witnesses
from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.sample import Outcome
from seedcorn.storage.log.withdrawals import withdrawn_ids
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.store import Store

COLUMNS = [*DROPPED_COLUMNS, "similarity"]


def find_pairs(store: Store, spec: StoreSpec, state: CorpusState, per_kind: int) -> list[Pair]:
    """At most `per_kind` duplicates of each kind beside their witnesses.

    A witness that cannot be read has the reason in place of its text; see `show_witness`.
    """
    shards = [ref for n in sorted(state.generations) for ref in state.generations[n].dropped]
    withdrawn = withdrawn_ids(store, state)
    chosen = _choose(store, shards, withdrawn, per_kind)
    found = witnesses(store, spec, state, chosen)
    return [
        Pair(
            kind=row["reason"],
            generation=row["generation"],
            stratum=row["stratum"],
            name=row["sample_id"],
            text=row["text"],
            witness=row["duplicate_of"],
            witness_text=found.get(row["duplicate_of"], "(not found)"),
            similarity=row["similarity"],
        )
        for row in chosen
    ]


def _choose(
    store: Store, shards: Sequence[ObjectRef], withdrawn: frozenset[str], per_kind: int
) -> list[Row]:
    """Duplicates with the lowest ids, by kind."""
    kinds: dict[str, list[Row]] = {}
    for ref in sorted(shards, key=lambda ref: ref.sha256)[:LOOKED_AT]:
        for row in read_shard(store, ref, COLUMNS).to_pylist():
            if row["outcome"] == Outcome.DUPLICATE.value and row["duplicate_of"] not in withdrawn:
                kinds.setdefault(row["reason"], []).append(row)
        kinds = {
            kind: nsmallest(per_kind, rows, key=lambda row: row["sample_id"])
            for kind, rows in kinds.items()
        }
    return [row for kind in sorted(kinds) for row in kinds[kind]]
