"""Which samples to show: the same ones every time, without reading the whole corpus.

Ids are hashes, so the lowest ids are a random choice that nobody made. At most `LOOKED_AT` shards
of a kind are looked into, again the ones with the lowest hashes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seedcorn.core.log.entries import ObjectRef
from seedcorn.core.log.state import CorpusState
from seedcorn.core.sample import Outcome
from seedcorn.storage.log.withdrawals import withdrawn_ids
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.store import Store

LOOKED_AT = 16
ACCEPTED_COLUMNS = [
    "sample_id",
    "generation",
    "index",
    "stratum",
    "axes",
    "parents",
    "text",
    "completion_tokens",
    "model",
]
DROPPED_COLUMNS = [*ACCEPTED_COLUMNS, "outcome", "reason", "detail", "duplicate_of"]
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for. `outcome` None: any."""

    store: Store
    state: CorpusState
    samples: int
    outcome: str | None = None


def choose(
    asked: Choice, accepted: Sequence[ObjectRef], dropped: Sequence[ObjectRef]
) -> tuple[list[Row], list[Row]]:
    """Accepted samples that nobody withdrew, and dropped ones, lowest ids first.

    Dropped samples of each outcome take turns, so that a frequent one does not hide the others.
    """
    kept: list[Row] = []
    gone: list[Row] = []
    if asked.outcome in (None, Outcome.ACCEPTED.value):
        withdrawn = withdrawn_ids(asked.store, asked.state)
        rows = _read(asked.store, accepted, ACCEPTED_COLUMNS)
        kept = [row for row in rows if row["sample_id"] not in withdrawn][: asked.samples]
    if asked.outcome != Outcome.ACCEPTED.value:
        rows = _read(asked.store, dropped, DROPPED_COLUMNS)
        rows = [row for row in rows if asked.outcome in (None, row["outcome"])]
        gone = _in_turns(rows)[: asked.samples]
    return kept, gone


def _read(store: Store, shards: Sequence[ObjectRef], columns: list[str]) -> list[Row]:
    """Rows of the shards with the lowest hashes, lowest ids first."""
    looked_at = sorted(shards, key=lambda ref: ref.sha256)[:LOOKED_AT]
    rows = [row for ref in looked_at for row in read_shard(store, ref, columns).to_pylist()]
    return sorted(rows, key=lambda row: row["sample_id"])


def _in_turns(rows: Sequence[Row]) -> list[Row]:
    """First the first of each outcome, then the second of each, and so on."""
    seen: dict[str, int] = {}
    turns: list[tuple[int, Row]] = []
    for row in rows:
        seen[row["outcome"]] = turn = seen.get(row["outcome"], 0) + 1
        turns.append((turn, row))
    return [row for _, row in sorted(turns, key=lambda pair: pair[0])]
