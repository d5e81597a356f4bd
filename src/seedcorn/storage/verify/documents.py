"""Which documents are rechecked for uniqueness: all of a small corpus, a fair sample of a large one.

Samples are drawn by their id, so both documents of a pair are in it with the square of the share,
kept or dropped alike, and the rate of missed pairs stays what it is.
"""

from collections.abc import Mapping

from seedcorn.core.errors import SeedError, StoreError
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState, Source
from seedcorn.core.recipe import Recipe, StoreSpec
from seedcorn.core.row_names import numbered
from seedcorn.core.verify.proofs import BatchRows
from seedcorn.core.verify.uniqueness import DROPPED, KEPT, SOURCE, Documents
from seedcorn.storage.seeds.catalogue import Catalogue
from seedcorn.storage.seeds.reader import SeedReader
from seedcorn.storage.stores.store import Store

DOCUMENTS = 200_000
"""Most documents that are rechecked: of 80 words, about 4 KB and 0.15 ms each."""
SOURCE_SHARE = 4
"""Seed and reference rows take part if all of them are at most 1 in this many of those."""
_NEAR = "near:"


class DocumentSubset:
    """Collects documents in rank order, as the log is walked."""

    def __init__(self, store: Store, spec: StoreSpec, most: int) -> None:
        self.documents = Documents()
        self._store, self._spec, self._most = store, spec, most
        self._share, self._total = 1.0, 0
        self._indexed: set[int] = set()
        self._sources = "no seed"
        self._rules: Mapping[str, int] = {}

    def plan(self, state: CorpusState, recipes: Mapping[int, Recipe]) -> None:
        """Decide what takes part, from the log's counts alone."""
        self._rules = rules_of(state)
        with_seed = all(recipe.dedup.seed for recipe in recipes.values())
        roles = {"seed", "reference"} if with_seed else {"reference"}
        sources = [source for source in state.sources if source.role in roles]
        rows = sum(source.rows for source in sources)
        if rows > self._most // SOURCE_SHARE:
            self._sources = (
                f"without the {rows} seed and reference rows, which are too many to hold"
            )
        elif sources:
            self._indexed = {source.sequence for source in sources}
            self._sources = f"with {rows} seed and reference rows"
        room = self._most - (rows if self._indexed else 0)
        standing = state.standing.values()
        self._total = sum(g.accepted + sum(r.rows for r in g.dropped) for g in standing)
        self._share = min(1.0, room / max(1, self._total))

    def add_source(self, source: Source) -> str:
        """A source's rows, if sources take part; returns a warning where they cannot be read."""
        if source.sequence not in self._indexed:
            return ""
        reader = SeedReader(Catalogue.from_dict(source.catalogue), self._store, self._spec)
        try:
            for batch in reader.scan():
                columns = zip(batch.texts.to_pylist(), batch.usable.tolist(), strict=True)
                for row, (text, usable) in enumerate(columns, batch.first_ordinal):
                    if usable:
                        self.documents.add(text, SOURCE, numbered(source.name, row, self._rules))
        except (SeedError, StoreError) as error:
            return f"P8 was not checked against all of {source.role} {source.name}: {error}"
        return ""

    def add(self, rows: BatchRows) -> None:
        """Accepted samples and dropped near duplicates of a batch, in plan order."""
        columns = zip(rows.sample_id, rows.outcome, rows.reason, rows.text, strict=True)
        for name, outcome, reason, text in columns:
            kind = KEPT if outcome == "accepted" else DROPPED
            takes_part = kind == KEPT or (outcome == "duplicate" and reason.startswith(_NEAR))
            if takes_part and int(name[:8], 16) < self._share * 2**32:
                self.documents.add(text, kind, name)

    def described(self) -> str:
        """What was rechecked, for the report."""
        kept = self.documents.kinds.count(KEPT)
        part = "all" if self._share >= 1 else f"a {self._share:.1%} sample:"
        return f"{part} {kept} accepted documents, {self._sources}"
