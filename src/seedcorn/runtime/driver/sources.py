"""The recipe's sources: opened before anything starts, logged before a generation uses them.

Invariant: a generation draws from the seeds that stood in the log when it started, and no others,
however often it is resumed and whatever files appeared since.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace

from seedcorn.core.decisions.growth import SourceClaim, base_name, increments, new_sources
from seedcorn.core.errors import SeedError
from seedcorn.core.figures import counted
from seedcorn.core.identity import digest
from seedcorn.core.log.entries import SeedAdded
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState, Source
from seedcorn.core.recipe import Recipe, SourceSpec, StoreSpec
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.core.rule_numbers import ROW_NAMES, number_of
from seedcorn.storage.log.log import LogWriter
from seedcorn.storage.seeds.catalogue import source_name
from seedcorn.storage.seeds.held_out import require_group
from seedcorn.storage.seeds.ids import require_ids
from seedcorn.storage.seeds.increments import open_source
from seedcorn.storage.seeds.rows import MAX_ID
from seedcorn.storage.seeds.seeds import Catalogue, open_catalogue, require_seed
from seedcorn.storage.stores.store import Store

logger = logging.getLogger(__name__)


class Catalogues:
    """Catalogues of everything the recipe names, by role and source name."""

    def __init__(
        self,
        recipe: Recipe,
        base: str,
        store: Store,
        state: CorpusState,
        settled: float | None = None,
    ) -> None:
        """Opens them all; raises SeedError naming what is wrong.

        `base` is the recipe's folder, `state` the log so far. Files that would join a growing seed
        wait where they changed after `settled` (Unix seconds).
        """
        self._recipe = recipe
        self._opened: dict[tuple[str, str], Catalogue] = {}
        stores = (store, recipe.store)
        named_apart = number_of(rules_of(state), ROW_NAMES) > 1
        known = {source.name for source in state.sources_of("seed")}
        for role, specs in _by_role(recipe):
            named: set[str] = set()
            for spec in specs:
                _refuse_second(role, source_name(spec), named)
                logged = [
                    Catalogue.from_dict(source.catalogue)
                    for source in increments(state.sources_of(role), source_name(spec))
                ]
                group = recipe.ledger.holdout.named if role == "seed" else ""
                for catalogue in open_source(spec, base, stores, logged, settled, group):
                    self._opened[role, catalogue.source] = catalogue
                    if role != "seed" or catalogue.source in known:
                        continue
                    require_group(spec, catalogue, base, stores, group)
                    if named_apart:
                        _require_names(spec, catalogue, base, stores)
        require_seed(recipe, [c for (role, _), c in self._opened.items() if role == "seed"])
        # Held-out text: read when a generation is measured, never a part of the corpus.
        self.anchor, self.yardstick = (
            [open_catalogue(spec, base, store, recipe.store) for spec in specs]
            for specs in (recipe.ledger.anchor, recipe.ledger.yardstick)
        )

    def seeds(self, state: CorpusState, generation: int | None = None) -> list[Catalogue]:
        """The seed of a generation that was started, or of the one that would start now.

        In log order, which is their ordinal order for the plan.
        """
        return [catalogue for _, catalogue in self.seed_sources(state, generation)]

    def seed_sources(
        self, state: CorpusState, generation: int | None = None
    ) -> list[tuple[Source, Catalogue]]:
        """The same, with what the log has of each."""
        started = state.generations[generation] if generation is not None else None
        recipe = recipe_from_dict(started.recipe) if started is not None else self._recipe
        before = started.sequence if started is not None else state.sequence
        names = {source_name(spec) for spec in recipe.seed}
        return [
            (source, self._catalogue(source))
            for source in state.sources_of("seed")
            if source.sequence < before and base_name(source.name) in names
        ]

    def history(self, state: CorpusState, generation: int) -> list[Source]:
        """Every seed and reference that the log held when the generation began, whatever the recipe
        names today."""
        before = state.generations[generation].sequence
        return [
            replace(source, catalogue=self._catalogue(source).to_dict())
            for source in state.sources
            if source.sequence < before and source.role != "evaluation"
        ]

    def fingerprint(self, state: CorpusState) -> str:
        """32 hex digits over the seed of the generation that would start now, as stored in
        `generation_started`."""
        return digest("seeds", *(c.fingerprint for c in self.seeds(state)), size=16).hex()

    def log_new(self, state: CorpusState, log: LogWriter) -> None:
        """Append a `seed_added` entry for every source the log does not hold, and fold it.

        Only while no generation is open: what joins the index in the middle of one would change
        the verdicts on the rest of it.
        """
        known = [
            (source, Catalogue.from_dict(source.catalogue).fingerprint) for source in state.sources
        ]
        claims = [
            SourceClaim(role, name, catalogue.rows, catalogue.fingerprint)
            for (role, name), catalogue in self._opened.items()
        ]
        fresh = new_sources(known, claims)
        if state.unfinished is not None:
            return
        for claim in fresh:
            catalogue = self._opened[claim.role, claim.name]
            body = SeedAdded(
                role=claim.role,
                source=claim.name,
                catalogue=catalogue.to_dict(),
                rows=claim.rows,
                ordinal=state.next_ordinal,
                fingerprint=claim.fingerprint,
            )
            state.apply(log.append(body))

    def _catalogue(self, source: Source) -> Catalogue:
        """As opened now, because the files may lie elsewhere; else as the log has it."""
        logged = Catalogue.from_dict(source.catalogue)
        opened = self._opened.get((source.role, source.name))
        return opened if opened is not None and opened.fingerprint == logged.fingerprint else logged


def _require_names(
    spec: SourceSpec, catalogue: Catalogue, base: str, stores: tuple[Store, StoreSpec]
) -> None:
    """Refuse ids that name no row, and say which rows go by their number beside others' ids."""
    named = require_ids(spec, catalogue, base, stores)
    if named.by_id and named.by_number:
        logger.warning(
            "seed %s: %s without an id that is a text (of at most %d bytes) or a whole number: "
            "such rows go by their number, as in %s:#4",
            spec.path,
            counted(named.by_number, "row"),
            MAX_ID,
            catalogue.source,
        )


def _refuse_second(role: str, name: str, named: set[str]) -> None:
    if name in named:
        raise SeedError(f"two {role} sources are called {name!r}; give them different names")
    named.add(name)


def _by_role(recipe: Recipe) -> Sequence[tuple[str, Sequence[SourceSpec]]]:
    return (
        ("evaluation", recipe.dedup.evaluations),
        ("reference", recipe.dedup.against),
        ("seed", recipe.seed),
    )
