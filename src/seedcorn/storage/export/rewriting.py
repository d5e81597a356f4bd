"""Taking samples that were withdrawn since out of shards that were exported before.

The one case in which an export is not only added to: a licence or somebody's data must not stay
in it. Affected shards are written anew under the name of their new content; the manifest turns.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.export.manifest import Increment, Manifest, Shard, merged, without
from seedcorn.storage.export.shards import encoded, send
from seedcorn.storage.stores.store import Store

BLOCK = 8 << 20


@dataclass(slots=True)
class Rewriter:
    """Filters the shards of one target."""

    target: Store
    there: dict[str, int]
    """Objects on the target: key to bytes."""
    folder: Path
    gone: frozenset[str]
    replaced: list[str] = field(default_factory=list)
    """Keys that the new manifest does not name any more."""

    def rewrite(self, manifest: Manifest, advance: Callable[[int], None]) -> Manifest:
        """The manifest without the withdrawn samples; the same one where it holds none of them."""
        increments = []
        for number, increment in enumerate(manifest.increments):
            increments.append(self._increment(increment, number, advance))
        if not self.replaced:
            return manifest
        return replace(manifest, increments=tuple(increments), rewrites=manifest.rewrites + 1)

    def _increment(
        self, increment: Increment, number: int, advance: Callable[[int], None]
    ) -> Increment:
        kept, lost = [], Counter[tuple[int, str]]()
        ids: set[str] = set()
        for place, shard in enumerate(increment.shards):
            if not self._affected(shard):
                kept.append(shard)
            else:
                kept += self._shard(shard, number, place, lost, ids)
            advance(shard.rows)
        if not ids:
            return increment
        rows = merged(*({str(g): {name: count}} for (g, name), count in lost.items()))
        return without(increment, tuple(kept), rows, len(ids))

    def _affected(self, shard: Shard) -> bool:
        with self.target.open(shard.key) as handle:
            file = pq.ParquetFile(handle)
            for number in range(file.num_row_groups):
                table = file.read_row_group(number, ["id"], use_threads=False)
                ids = table["id"].to_pylist()
                if not self.gone.isdisjoint(ids):
                    return True
        return False

    def _shard(
        self, shard: Shard, number: int, place: int, lost: Counter[tuple[int, str]], ids: set[str]
    ) -> list[Shard]:
        """What becomes of an affected shard: a smaller one, or none."""
        local = self._fetch(shard)
        with pq.ParquetFile(local) as file:
            tables = self._kept(file, lost, ids)
            path, written = encoded(self.folder, file.schema_arrow, tables, number, place)
        local.unlink()
        self.replaced.append(shard.key)
        if not written.rows:
            path.unlink()
            return []
        send(self.target, self.there, path, written)
        return [written]

    def _kept(
        self, file: pq.ParquetFile, lost: Counter[tuple[int, str]], ids: set[str]
    ) -> Iterator[pa.Table]:
        values = pa.array(sorted(self.gone), pa.string())
        for number in range(file.num_row_groups):
            table = file.read_row_group(number)
            # Written as text: pyright has no stubs for compute's generated functions.
            is_gone: Any = pc.call_function("is_in", [table["id"]], pc.SetLookupOptions(values))
            removed = table.filter(is_gone)
            pairs = (removed[name].to_pylist() for name in ("generation", "stratum"))
            lost.update(zip(*pairs, strict=True))
            ids.update(removed["id"].to_pylist())
            kept = table.filter(pc.call_function("invert", [is_gone]))
            if kept.num_rows:
                yield kept

    def _fetch(self, shard: Shard) -> Path:
        """A local copy; raises CorruptCorpus when it is not what the manifest names."""
        path, state = self.folder / "before.parquet", hashlib.sha256()
        with self.target.open(shard.key) as source, path.open("wb") as sink:
            while block := source.read(BLOCK):
                state.update(block)
                sink.write(block)
        if state.hexdigest() != shard.sha256:
            raise CorruptCorpus(
                f"{self.target.uri}: {shard.key} does not have the sha256 that export.json names; "
                "export to another target"
            )
        return path
