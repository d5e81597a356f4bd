"""The seed of a corpus: the recipe's sources in order, as one space of row numbers.

Generation 0 is addressed by ordinal: the rows of the first source, then of the second, and so on.
This is what the plan draws from and what lineage names; it never holds a document.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from seedcorn.core.errors import SeedError
from seedcorn.core.identity import digest
from seedcorn.core.recipe import Recipe, StoreSpec
from seedcorn.core.sample import Parent
from seedcorn.storage.seeds.catalogue import Catalogue, SeedFile, open_catalogue
from seedcorn.storage.seeds.reader import ScanBatch, SeedReader
from seedcorn.storage.stores.store import Store

__all__ = [
    "Catalogue",
    "ScanBatch",
    "SeedFile",
    "SeedReader",
    "SeedSet",
    "open_catalogue",
    "require_seed",
]


def require_seed(recipe: Recipe, catalogues: Sequence[Catalogue]) -> None:
    """Raise SeedError where the recipe names a seed and none of its sources has a document yet."""
    if recipe.seed and not catalogues:
        places = ", ".join(spec.path for spec in recipe.seed)
        raise SeedError(f"the seed holds no file yet: put documents into {places}")


class SeedSet:
    """Several catalogues, in recipe order, read by one ordinal. Thread-safe; raises SeedError."""

    def __init__(
        self,
        catalogues: Sequence[Catalogue],
        store: Store,
        store_spec: StoreSpec,
        rules: Mapping[str, int],
        cached_groups: int = 8,
    ) -> None:
        """`rules` are those of the corpus, by which rows are named."""
        names = [catalogue.source for catalogue in catalogues]
        for name in names:
            if names.count(name) > 1:
                raise SeedError(f"two seed sources are called {name!r}; give them different names")
        self.catalogues = tuple(catalogues)
        self._readers = [
            SeedReader(c, store, store_spec, cached_groups, rules=rules) for c in catalogues
        ]
        rows = [catalogue.rows for catalogue in catalogues]
        self._starts = np.concatenate(([0], np.cumsum(rows, dtype=np.int64)))

    @property
    def rows(self) -> int:
        """Rows of all sources, the unusable ones included."""
        return int(self._starts[-1])

    @property
    def fingerprint(self) -> str:
        """32 hex digits over the sources' fingerprints in order; changes when any of them does."""
        return digest("seeds", *(c.fingerprint for c in self.catalogues), size=16).hex()

    def group_sizes(self) -> list[int]:
        """Rows of every row group in ordinal order, empty groups left out."""
        return [
            rows
            for catalogue in self.catalogues
            for file in catalogue.files
            for rows in file.groups
            if rows
        ]

    def read(self, ordinals: Sequence[int]) -> list[Parent]:
        """The documents in the order asked for; IndexError outside range(rows)."""
        wanted = np.asarray(ordinals, dtype=np.int64)
        outside = (wanted < 0) | (wanted >= self.rows)
        if outside.any():
            raise IndexError(f"seed row {wanted[outside][0]} of {self.rows}")
        owners = np.searchsorted(self._starts, wanted, side="right") - 1
        parents: list[Parent | None] = [None] * len(wanted)
        for owner in np.unique(owners):
            places = np.flatnonzero(owners == owner)
            rows = (wanted[places] - self._starts[owner]).tolist()
            for place, parent in zip(places, self._readers[owner].read(rows), strict=True):
                parents[place] = parent
        return [parent for parent in parents if parent is not None]

    def scan(self, batch_rows: int = 4096) -> Iterator[ScanBatch]:
        """Every row of every source in ordinal order; see SeedReader.scan."""
        for reader, start in zip(self._readers, self._starts.tolist(), strict=False):
            for batch in reader.scan(batch_rows):
                yield replace(batch, first_ordinal=batch.first_ordinal + start)
