"""What `grow` has to do next, decided from the log and the recipe alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from seedcorn.core.decisions.stopping import reason_not_to_start, still_wanted, target_reached
from seedcorn.core.errors import SeedError
from seedcorn.core.log.entries import (
    Decision,
    GenerationAbandoned,
    GenerationFinished,
    ObjectRef,
)
from seedcorn.core.log.state import COMPANIONS, STOP, CorpusState, Source, require_same_recipe
from seedcorn.core.recipe import LedgerSpec, Recipe, TargetSpec, differences, document
from seedcorn.core.recipe.tree import recipe_from_dict


@dataclass(frozen=True, slots=True)
class Step:
    """Grow `generation` with `recipe`; `resumes` an unfinished one, or starts it."""

    generation: int
    recipe: Recipe
    resumes: bool


def next_step(state: CorpusState, recipe: Recipe, stored: Recipe | None) -> Step | None:
    """The generation to grow now; None when the recipe's `generations` are all finished, or a
    rule says that no further one is to be started (`stopping.reason_not_to_start` says why).

    `stored` is the recipe of the unfinished generation, which goes on as it was started: its
    operational fields follow the present recipe, except how it was cut into units and batches.
    """
    unfinished = state.unfinished
    if unfinished is not None:
        if stored is None:
            raise ValueError("an unfinished generation needs its stored recipe")
        require_same_recipe(stored, recipe)
        units = replace(recipe.units, unit=stored.units.unit, batch=stored.units.batch)
        return Step(unfinished.number, replace(recipe, units=units), True)
    if len(state.standing) >= recipe.generations:
        return None
    if state.standing and reason_not_to_start(state, recipe.stop, recipe.prompts) is not None:
        return None
    return Step(len(state.generations) + 1, recipe, False)


def superseded(state: CorpusState, recipe: Recipe) -> GenerationAbandoned | None:
    """What to log so that an unfinished generation without a batch gives way to a recipe that
    differs from its own; None where nothing has to. Only while nothing of it is staged either."""
    unfinished = state.unfinished
    if unfinished is None or unfinished.batches:
        return None
    stored = recipe_from_dict(unfinished.recipe)
    changes = differences(document(stored), document(recipe))
    if not changes:
        return None
    reason = f"it had no sample yet, and the recipe changed: {'; '.join(map(str, changes))}"
    return GenerationAbandoned(unfinished.number, reason)


def changed_since(state: CorpusState, recipe: Recipe) -> str:
    """What of the recipe is another than the newest generation that stands was grown by, in words."""
    if not state.standing:
        return ""
    stored = recipe_from_dict(state.standing[max(state.standing)].recipe)
    return "; ".join(map(str, differences(document(stored), document(recipe))))


def stored_recipe(state: CorpusState) -> Recipe | None:
    """The recipe that the unfinished generation was started with, if there is one."""
    unfinished = state.unfinished
    return recipe_from_dict(unfinished.recipe) if unfinished is not None else None


class Guide(Protocol):
    """Who says what a run grows: a whole recipe, or one night (`core.night.night`)."""

    def next(self, state: CorpusState) -> Step | None:
        """The generation to grow now; None when the run is done."""
        ...

    def due(self, state: CorpusState) -> Decision | None:
        """A decision on the open generation that the recipe's own rules do not make. Asked when
        those have decided, before the next batch opens."""
        ...

    def why(self, state: CorpusState) -> str:
        """Why no further generation is started, in a sentence; empty where nobody asks for one."""
        ...


ENDED = {"target": "target reached", "budget": "budget spent", "stop_rule": "stop rule"}
"""How the reasons of decisions begin a sentence."""


class WholeRecipe:
    """Grows until the recipe's `generations` exist."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    def next(self, state: CorpusState) -> Step | None:
        """See `next_step`."""
        return next_step(state, self._recipe, stored_recipe(state))

    def due(self, state: CorpusState) -> Decision | None:
        """Nothing: the stop rule's decisions are those of `core.decisions.stopping`."""
        return None

    def why(self, state: CorpusState) -> str:
        """Why no further generation is started though the recipe asks for one, or why the last one
        ended before its plan."""
        if not state.standing:
            return ""
        stop = reason_not_to_start(state, self._recipe.stop, self._recipe.prompts)
        if stop is not None:
            return f"{ENDED[stop.why]}: {stop.text}"
        newest = state.standing[max(state.standing)]
        cut = [d for d in newest.decisions if d.action == STOP]
        if cut:
            return f"{ENDED[str(cut[-1].value['why'])]}: {cut[-1].reason}"
        left = still_wanted(state, self._recipe.stop.target)
        return f"exhausted: every planned sample has been generated; {left}" if left else ""


def unmeasured(state: CorpusState, ledger: LedgerSpec) -> int | None:
    """The newest finished generation, if its companions are wanted and not in the log yet."""
    finished = [g for g in state.generations.values() if g.finished and g.accepted]
    if not finished or not ledger.companions:
        return None
    return None if (COMPANIONS, "") in finished[-1].measured else finished[-1].number


def counts_so_far(state: CorpusState) -> dict[str, ObjectRef]:
    """What the companions' measurements counted, by source or generation, the newest last."""
    found: dict[str, ObjectRef] = {}
    for generation in state.generations.values():
        measured = generation.measured.get((COMPANIONS, ""))
        found |= measured.counts if measured is not None else {}
    return found


def ending(state: CorpusState, target: TargetSpec) -> GenerationFinished:
    """Why the open generation ends, now that its whole plan is committed: the decision that cut the
    plan, a target that its last batches reached, or no sample left."""
    generation = state.unfinished
    if generation is None:
        raise ValueError("no generation is open that could end")
    stops = [decision for decision in generation.decisions if decision.action == STOP]
    if stops:
        first = min(stops, key=lambda decision: int(decision.value["samples"]))
        return GenerationFinished(generation.number, str(first.value["why"]), first.reason)
    reached = target_reached(state, target)
    if reached is not None:
        return GenerationFinished(generation.number, reached.why, reached.text)
    detail = f"all {generation.samples} planned samples are decided"
    return GenerationFinished(generation.number, "exhausted", detail)


INCREMENT = "+"
"""Parts a source's name from the number of its increment; no name in a recipe may hold it."""


def increment_name(base: str, number: int) -> str:
    """What the log calls rows that joined a source later: `docs+1`; `docs` is increment 0."""
    return f"{base}{INCREMENT}{number}" if number else base


def base_name(source: str) -> str:
    """The recipe's name of a source of the log, increment or not."""
    return source.partition(INCREMENT)[0]


def increments(sources: Sequence[Source], base: str) -> list[Source]:
    """The sources of the log that the recipe calls `base`, in log order, which is their rank."""
    return [source for source in sources if base_name(source.name) == base]


def checkpoint_due(batch: int, every: int, ordinals: int, covered: int) -> bool:
    """Whether to write a checkpoint after a batch: each `every` batches, once what it would save is
    worth its cost. It is as large as the corpus (`ordinals` documents), and saves reading what came
    since the last one (which `covered` so many): below a fiftieth it waits."""
    return (batch + 1) % every == 0 and 50 * (ordinals - covered) >= ordinals


@dataclass(frozen=True, slots=True)
class SourceClaim:
    """A source, or an increment of one, as the recipe names it and the store shows it now."""

    role: str
    name: str
    rows: int
    fingerprint: str


def new_sources(
    known: Sequence[tuple[Source, str]], claims: Sequence[SourceClaim]
) -> list[SourceClaim]:
    """Claims that the log does not hold yet, in the order in which they are to be added.

    `known` pairs logged sources with their fingerprints. Reference corpora rank before the seed.
    Raises SeedError for a source that changed: its ordinals are history and cannot be rewritten.
    """
    logged = {(source.role, source.name): fingerprint for source, fingerprint in known}
    for claim in claims:
        before = logged.get((claim.role, claim.name), claim.fingerprint)
        if before != claim.fingerprint:
            raise SeedError(
                f"{claim.role} source {claim.name!r} is not what the corpus was grown from: its "
                "files changed since; restore them, or give the new documents as another source"
            )
    fresh = [claim for claim in claims if (claim.role, claim.name) not in logged]
    rank = {"evaluation": 0, "reference": 1, "seed": 2}
    return sorted(fresh, key=lambda claim: rank[claim.role])
