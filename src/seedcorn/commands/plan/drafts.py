"""The first prompts of a recipe, exactly as a run would render them, from the real seed.

Seeds without random access are converted into a temporary folder, which is gone afterwards: `plan`
leaves nothing behind, and its memory does not follow the size of the seed.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seedcorn.commands.plan.holding import Holding, holding
from seedcorn.config import LoadedRecipe
from seedcorn.core.figures import counted
from seedcorn.core.generate.plan import Plan, Pool
from seedcorn.core.generate.prompts import (
    Prompt,
    PromptFailed,
    Rendered,
    compile_prompt,
    neutralise,
)
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState
from seedcorn.core.preflight.concerns import Concern, concerns
from seedcorn.core.preflight.fit import SAMPLED, sampled
from seedcorn.core.recipe import Recipe, SourceSpec
from seedcorn.core.sample import Draw, Parent
from seedcorn.storage.samples.parents import ParentReader
from seedcorn.storage.seeds.catalogue import is_empty
from seedcorn.storage.seeds.held_out import require_group
from seedcorn.storage.seeds.ids import require_ids
from seedcorn.storage.seeds.seeds import Catalogue, SeedSet, open_catalogue, require_seed
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store

READ_BYTES = 256 << 20
"""Compressed bytes of the seed that a sample of prompts may read; each parent may lie in a row group
of its own, so that fewer prompts are rendered where row groups are large."""
MOST_IDS = 1_000_000
"""Rows of a source whose ids are looked at; of more, `grow` looks alone."""
FEWEST = 8
"""Prompts rendered whatever they cost to read."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One planned sample of generation 1: what it is drawn from, and the prompt."""

    draw: Draw
    parents: tuple[str, ...]
    rendered: Rendered | None
    problem: str = ""
    """Why there is no prompt: what the sample's outcome will say."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A recipe held against its real sources."""

    recipe: Recipe
    drafts: Sequence[Draft]
    """The first prompts of generation 1, in plan order."""
    sample: Sequence[Draft]
    """Some prompts of generation 1, drawn from all of it."""
    seeds: Sequence[Catalogue]
    reference_rows: int
    """Rows of the extra corpora that samples must not repeat."""
    held: Holding
    """Rows of the seed that are never drawn."""
    concerns: Sequence[Concern]
    """What of the recipe is probably not meant, now that its sources are open."""

    @property
    def seed_rows(self) -> int:
        """Rows of all seeds, the unusable ones included."""
        return sum(catalogue.rows for catalogue in self.seeds)

    @property
    def indexed_rows(self) -> int:
        """Documents that enter the dedup index before the first sample."""
        return self.reference_rows + (self.seed_rows if self.recipe.dedup.seed else 0)

    @property
    def mean_chars(self) -> float:
        """Mean length of the prompts in the sample; 0 where none could be rendered."""
        lengths = [len(written(d.rendered)) for d in self.sample if d.rendered is not None]
        return sum(lengths) / len(lengths) if lengths else 0.0


def planned(loaded: LoadedRecipe, prompts: int, special_tokens: tuple[str, ...] = ()) -> Planned:
    """Open every source and draft prompts; raises RecipeError and SeedError as grow.

    `special_tokens` are the model's, neutralised inside seed text as a run would.
    """
    recipe = loaded.recipe
    with tempfile.TemporaryDirectory(prefix="seedcorn-plan-") as folder:
        store = open_store(folder, recipe.store)

        def opened(spec: SourceSpec, group: str = "") -> Catalogue | None:
            if is_empty(spec, loaded.base, recipe.store):
                return None
            return open_catalogue(spec, loaded.base, store, recipe.store, group)

        for spec in recipe.dedup.evaluations:
            opened(spec)
        found_there = [opened(spec) for spec in recipe.dedup.against]
        references = sum(catalogue.rows for catalogue in found_there if catalogue)
        by_source = [opened(spec, recipe.ledger.holdout.named) for spec in recipe.seed]
        catalogues = [catalogue for catalogue in by_source if catalogue is not None]
        require_seed(recipe, catalogues)
        _require_names(loaded, by_source, store)
        # As a new corpus would name its rows.
        seeds = SeedSet(catalogues, store, recipe.store, rules_of(CorpusState()))
        held = holding(recipe, catalogues, store)
        drafting = _Drafting(recipe, seeds, store, held)
        first = drafting.drafts(range(min(prompts, recipe.samples)), special_tokens)
        chosen = sampled(
            recipe.fingerprint, recipe.samples, recipe.samples_per_prompt, affordable(catalogues)
        )
        sample = drafting.drafts(chosen, special_tokens)
        found = [*concerns(recipe), *_about_seeds(recipe, by_source)]
        return Planned(recipe, first, sample, catalogues, references, held, found)


def _require_names(
    loaded: LoadedRecipe, catalogues: Sequence[Catalogue | None], store: Store
) -> None:
    """As `grow` does, where reading the ids takes no longer than a moment."""
    group, stores = loaded.recipe.ledger.holdout.named, (store, loaded.recipe.store)
    for spec, catalogue in zip(loaded.recipe.seed, catalogues, strict=True):
        if catalogue is None:
            continue
        require_group(spec, catalogue, loaded.base, stores, group)
        if catalogue.rows <= MOST_IDS:
            require_ids(spec, catalogue, loaded.base, stores)


def _about_seeds(recipe: Recipe, catalogues: Sequence[Catalogue | None]) -> Iterator[Concern]:
    for number, (spec, catalogue) in enumerate(zip(recipe.seed, catalogues, strict=True)):
        if catalogue is None:
            yield Concern(
                f"seed.{number}",
                f"{spec.path} holds no file at present",
                "what a corpus has read of it before is drawn all the same; this plan shows none of it",
            )
        elif catalogue.problems:
            found = ", ".join(f"{count:,} {name}" for name, count in catalogue.problems.items())
            unusable = sum(catalogue.problems.values())
            yield Concern(
                f"seed.{number}",
                f"{unusable:,} of {counted(catalogue.rows, 'row')} of {spec.path} cannot be used: {found}",
                "each sample drawn from one of them is rejected: seed_row",
            )


def affordable(catalogues: Sequence[Catalogue]) -> int:
    """Prompts to render: fewer where each may read a large row group."""
    groups = sum(len(file.groups) for catalogue in catalogues for file in catalogue.files)
    size = sum(file.size for catalogue in catalogues for file in catalogue.files)
    return SAMPLED if not size else max(FEWEST, min(SAMPLED, READ_BYTES * groups // size))


def written(rendered: Rendered) -> str:
    """Everything the engine is given to read, without the chat template."""
    return "\n".join(turn.content for turn in rendered.messages) or rendered.prompt


class _Drafting:
    """Renders prompts of generation 1; the parents of one call are read at once."""

    def __init__(self, recipe: Recipe, seeds: SeedSet, store: Store, held: Holding) -> None:
        self._plan = Plan(recipe, 1, Pool(0, seeds.group_sizes(), held.rows))
        self._parents = ParentReader(store, seeds, {})
        self._compiled = {spec.name: compile_prompt(spec) for spec in recipe.prompts}

    def drafts(self, indices: Sequence[int], special_tokens: tuple[str, ...]) -> list[Draft]:
        """One draft for each plan index."""
        draws = [self._plan.draw(index) for index in indices]
        read = self._parents.read([address for draw in draws for address in draw.parents])
        return [
            _draft(self._compiled[d.prompt], d, [read[a] for a in d.parents], special_tokens)
            for d in draws
        ]


def _draft(
    prompt: Prompt, draw: Draw, parents: list[Parent], special_tokens: tuple[str, ...]
) -> Draft:
    ids = tuple(parent.id for parent in parents)
    texts = [neutralise(p.text, special_tokens)[0] for p in parents if p.text is not None]
    if len(texts) < len(parents):
        problems = "; ".join(f"{p.id}: {p.problem}" for p in parents if p.text is None)
        return Draft(draw, ids, None, f"rejected: seed_row ({problems})")
    try:
        return Draft(draw, ids, prompt.render(draw, 1, texts))
    except PromptFailed as error:
        return Draft(draw, ids, None, f"failed: template ({error})")
