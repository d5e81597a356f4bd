"""One increment of an export: measure, plan, spill in plan order, write in shuffled order."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from seedcorn.core.export.exports import ShardPlan, shard_plan, spread
from seedcorn.core.export.manifest import Increment, Shard
from seedcorn.core.export.shuffle import Shuffle
from seedcorn.storage.export.rows import ExportRows
from seedcorn.storage.export.shards import encoded, groups_of, measured, send
from seedcorn.storage.export.spill import Spill, run_bytes
from seedcorn.storage.stores.store import Store

SIZED = 8
"""Corpus shards on which the size of a row is measured."""
Counting = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""counting(what, total) shows progress and yields what is told how many more are done."""


@dataclass(slots=True)
class Adding:
    """Writes increment `number` to a target."""

    rows: ExportRows
    target: Store
    there: dict[str, int]
    """Data objects on the target: key to bytes."""
    folder: Path
    number: int
    target_bytes: int
    counting: Counting
    uploaded: int = 0
    reused: int = 0
    """Shards that an earlier run left there."""

    def run(self, start: int, stop: int, key: int | None) -> Increment:
        """Write all shards; they are of log entries [start, stop), `key` shuffles them."""
        models: set[str] = set()
        shards: tuple[Shard, ...] = ()
        if self.rows.rows:
            refs = self.rows.shards
            sized = [self.rows.sample(refs[place]) for place in spread(len(refs), SIZED)]
            schema = sized[0].schema.remove_metadata()
            each_encoded, each_decoded = measured(sized)
            del sized
            planned = shard_plan(self.rows.rows, each_encoded, each_decoded, self.target_bytes)
            spill = Spill(self.folder, planned, run_bytes(planned.rows, each_decoded))
            models = self._spill(spill, Shuffle(planned.rows, key))
            shards = tuple(self._write(spill, planned, schema))
        return Increment(
            start,
            stop,
            self.rows.samples,
            self.rows.counts,
            self.rows.left_out,
            tuple(sorted(models)),
            shards,
        )

    def _spill(self, spill: Spill, shuffle: Shuffle) -> set[str]:
        models: set[str] = set()
        first = 0
        with self.counting("read", sum(ref.rows for ref in self.rows.shards)) as advance:
            for table, by in self.rows.tables(advance):
                spill.add(table, shuffle.positions(first, first + table.num_rows))
                first += table.num_rows
                models |= by
        spill.flush()
        return models

    def _write(self, spill: Spill, planned: ShardPlan, schema: pa.Schema) -> list[Shard]:
        shards, first = [], 0
        with self.counting("written", planned.rows) as advance:
            for shard in planned.shards:
                tables = groups_of(spill, shard, first)
                path, written = encoded(self.folder, schema, tables, self.number, shard.number)
                if send(self.target, self.there, path, written):
                    self.uploaded += 1
                else:
                    self.reused += 1
                shards.append(written)
                first += len(shard.groups)
                advance(written.rows)
        return shards
