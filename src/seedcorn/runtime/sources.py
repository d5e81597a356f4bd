"""The recipe's sources: opened before anything starts, logged before a generation uses them."""

from collections.abc import Sequence

from seedcorn.core.entries import SeedAdded
from seedcorn.core.errors import SeedError
from seedcorn.core.growth import SourceClaim, new_sources
from seedcorn.core.identity import digest
from seedcorn.core.recipe import Recipe, SourceSpec
from seedcorn.core.state import CorpusState
from seedcorn.storage.log import LogWriter
from seedcorn.storage.seeds import Catalogue, open_catalogue
from seedcorn.storage.store import Store


class Sources:
    """Catalogues of everything the recipe names, by role and source name."""

    def __init__(self, recipe: Recipe, base: str, store: Store) -> None:
        """Opens them all; raises SeedError naming what is wrong. `base`: the recipe's folder."""
        self._opened: dict[tuple[str, str], Catalogue] = {}
        self._order: list[tuple[str, str]] = []
        for role, specs in _by_role(recipe):
            for spec in specs:
                catalogue = open_catalogue(spec, base, store, recipe.store)
                _refuse_unusable(role, spec, catalogue)
                if (role, catalogue.source) in self._opened:
                    raise SeedError(
                        f"two {role} sources are called {catalogue.source!r}; "
                        "give them different names"
                    )
                self._opened[role, catalogue.source] = catalogue
                self._order.append((role, catalogue.source))
        self.anchor: list[Catalogue] = []
        """Held-out text: read when a generation is measured, never a part of the corpus."""
        for spec in recipe.ledger.anchor:
            catalogue = open_catalogue(spec, base, store, recipe.store)
            _refuse_unusable("anchor", spec, catalogue)
            self.anchor.append(catalogue)

    def seeds(self) -> list[Catalogue]:
        """Seed catalogues in recipe order, which is their ordinal order for the plan."""
        return [self._opened[key] for key in self._order if key[0] == "seed"]

    @property
    def fingerprint(self) -> str:
        """32 hex digits over all seed sources, as stored in `generation_started`."""
        return digest("seeds", *(c.fingerprint for c in self.seeds()), size=16).hex()

    def log_new(self, state: CorpusState, log: LogWriter) -> None:
        """Append a `seed_added` entry for every source the log does not hold, and fold it."""
        known = [
            (source, Catalogue.from_dict(source.catalogue).fingerprint) for source in state.sources
        ]
        claims = [
            SourceClaim(
                role, name, self._opened[role, name].rows, self._opened[role, name].fingerprint
            )
            for role, name in self._order
        ]
        for claim in new_sources(known, claims):
            catalogue = self._opened[claim.role, claim.name]
            state.apply(
                log.append(
                    SeedAdded(
                        role=claim.role,
                        source=claim.name,
                        catalogue=catalogue.to_dict(),
                        rows=claim.rows,
                        ordinal=state.next_ordinal,
                        fingerprint=claim.fingerprint,
                    )
                )
            )


def _refuse_unusable(role: str, spec: SourceSpec, catalogue: Catalogue) -> None:
    """A source without one usable row is empty; that is known where a conversion read it all."""
    problems = catalogue.problems or {}
    if sum(problems.values()) >= catalogue.rows:
        found = ", ".join(f"{count} {problem}" for problem, count in sorted(problems.items()))
        raise SeedError(
            f"{role} source {catalogue.source!r} ({spec.path}) has no usable document: {found}; "
            f"are its texts under {spec.text!r}?"
        )


def _by_role(recipe: Recipe) -> Sequence[tuple[str, Sequence[SourceSpec]]]:
    return (
        ("evaluation", recipe.dedup.evaluations),
        ("reference", recipe.dedup.against),
        ("seed", recipe.seed),
    )
