"""What a corpus holds after faults, read afresh: counted by hand, proved, and made comparable."""

import json
from collections import Counter
from dataclasses import dataclass, field

from seedcorn.core.errors import ObjectMissing
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.log.layout import STAGING, parse_segment
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.samples.samples import read_shard, segment_indices
from seedcorn.storage.stores.store import Store
from seedcorn.storage.verify.verification import verify

Sample = tuple[int, int]
"""(generation, plan index)."""


@dataclass(frozen=True)
class Found:
    """A finished corpus."""

    digest: str
    """Of the corpus; empty for a broken one."""
    account: str
    """The ledger without measured times."""
    lost: int
    doubled: int
    broken: str = ""
    """What `verify` finds wrong first."""


@dataclass(frozen=True)
class Durable:
    """What no crash can take any more."""

    staged: frozenset[Sample] = field(default_factory=frozenset)
    committed: frozenset[Sample] = field(default_factory=frozenset)


def found(store: Store) -> Found:
    """Read everything. Lost and doubled are counted from the rows, not from the accounts."""
    report = verify(store, recipe_from_dict)
    table = to_json(read_ledger(store))
    table.pop("measured")
    rows, planned = Counter[Sample](), 0
    for entry in read_log(store):
        if isinstance(entry.body, BatchCommitted):
            planned += entry.body.last_index - entry.body.first_index + 1
            rows.update(_rows(store, entry.body))
    return Found(
        digest=report.digest,
        account=json.dumps(table, sort_keys=True),
        lost=planned - len(rows),
        doubled=sum(count - 1 for count in rows.values()),
        broken=f"{report.broken.promise}: {report.broken.text}" if report.broken else "",
    )


def durable(store: Store) -> Durable:
    """Staged and committed samples of an unfinished corpus, perhaps of none yet."""
    staged: set[Sample] = set()
    for info in store.list(STAGING):
        generation = parse_segment(info.key).generation
        staged.update((generation, index) for index in segment_indices(store, info.key))
    committed: set[Sample] = set()
    try:
        for entry in read_log(store):
            if isinstance(entry.body, BatchCommitted):
                body = entry.body
                indices = range(body.first_index, body.last_index + 1)
                committed.update((body.generation, index) for index in indices)
    except ObjectMissing:
        return Durable(frozenset(staged))
    return Durable(frozenset(staged), frozenset(committed))


def _rows(store: Store, body: BatchCommitted) -> list[Sample]:
    found: list[Sample] = []
    for ref in (*body.data, *body.dropped):
        indices = read_shard(store, ref, ["index"])["index"].to_pylist()
        found += [(body.generation, index) for index in indices]
    return found
