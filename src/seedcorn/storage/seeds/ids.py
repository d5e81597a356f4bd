"""Whether the ids of a source name its rows: each once, and not none of them.

Looked at once, when a source enters a corpus. It reads the id column and nothing else, and holds 8
bytes a row: a hash of each id, sorted in place. Fifty million short ids take about 400 MB and half a
minute. Only where two hashes are equal is the column read again, to say which rows they are.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.catalogue import Catalogue
from seedcorn.storage.seeds.files import Filesystems, find_files
from seedcorn.storage.seeds.footers import Columns
from seedcorn.storage.seeds.keys import advice, keys_of
from seedcorn.storage.seeds.reader import SeedReader
from seedcorn.storage.seeds.rows import given_problems, ids
from seedcorn.storage.stores.store import Store

LOOKED_AT = 1000
"""Repeated hashes that are looked into for the ids behind them."""


@dataclass(frozen=True, slots=True)
class NamedRows:
    """How the rows of a source are named."""

    by_id: int
    by_number: int
    """Usable rows without an id, or with one that is no name."""


def require_ids(
    spec: SourceSpec, catalogue: Catalogue, base: str, stores: tuple[Store, StoreSpec]
) -> NamedRows:
    """Raise SeedError where an id repeats, or where the recipe names a key that no row has."""
    if not catalogue.columns.id:
        return NamedRows(0, catalogue.rows)
    scan = _IdScan(catalogue, *stores)
    hashes, named = scan.hashes()
    if spec.id and not named.by_id:
        filesystems = Filesystems(stores[1])
        keys = keys_of(find_files(spec, base, filesystems), spec, filesystems)
        why = advice(spec.id, keys) or "ids are texts or whole numbers"
        raise SeedError(f"seed {spec.path}: no row has an id under {spec.id!r}: {why}")
    hashes.sort()
    repeated = hashes[1:][hashes[1:] == hashes[:-1]]
    if found := scan.repeat(set(np.unique(repeated)[:LOOKED_AT].tolist())):
        own, first, second = found
        raise SeedError(
            f"seed {spec.path}: id {own!r} stands in rows {first} and {second} (of "
            f"{len(repeated)} that repeat one; a number counts as the text of its digits), so it "
            "names neither; make the ids unique, or leave `id` out to name rows by number"
        )
    return named


class _IdScan:
    """Reads the ids of a catalogue, and which rows could not be used anyway."""

    def __init__(self, catalogue: Catalogue, store: Store, spec: StoreSpec) -> None:
        columns = catalogue.columns
        self._columns = Columns(columns.id, columns.id, columns.problem)
        only = replace(catalogue, columns=self._columns)
        self._reader, self._rows = SeedReader(only, store, spec), catalogue.rows

    def hashes(self) -> tuple[NDArray[np.int64], NamedRows]:
        """int64[named]: Python's hashes of the ids, good for as long as this process lives."""
        found, used, by_number = np.empty(self._rows, np.int64), 0, 0
        for _, names, unusable in self._batches():
            own = [name for name in names if name]
            found[used : used + len(own)] = list(map(hash, own))
            used += len(own)
            nameless = np.array([not name for name in names], bool)
            by_number += int((nameless & ~unusable).sum())
        return found[:used], NamedRows(used, by_number)

    def repeat(self, hashes: set[int]) -> tuple[str, int, int] | None:
        """The first id with one of these hashes that stands twice, and its first two rows."""
        rows: defaultdict[str, int] = defaultdict(lambda: -1)
        for first, names, _ in self._batches() if hashes else ():
            for row, name in enumerate(names, first):
                if not name or hash(name) not in hashes:
                    continue
                if rows[name] >= 0:
                    return name, rows[name], row
                rows[name] = row
        return None

    def _batches(self) -> Iterator[tuple[int, list[str], NDArray[np.bool_]]]:
        """(first row, ids with "" for none, whether the row is known to be unusable)."""
        for first, slab in self._reader.slabs():
            yield first, ids(slab, self._columns), given_problems(slab, self._columns) != ""
