"""The first prompts of a recipe, exactly as a run would render them, from the real seed.

Seeds without random access are converted into a temporary folder, which is gone afterwards: `plan`
leaves nothing behind, and its memory does not follow the size of the seed.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from seedcorn.config import LoadedRecipe
from seedcorn.core.generate.plan import Plan, Pool
from seedcorn.core.generate.prompts import Prompt, PromptFailed, Rendered, compile_prompt
from seedcorn.core.recipe import Recipe, SourceSpec
from seedcorn.core.sample import Draw, Parent
from seedcorn.storage.samples.parents import ParentReader
from seedcorn.storage.seeds.seeds import Catalogue, SeedSet, open_catalogue
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store

MEASURED = 8
"""Prompts rendered to estimate their length; each may read another row group of the seed."""


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
    seed_rows: int
    reference_rows: int
    """Rows of the extra corpora that samples must not repeat."""

    @property
    def indexed_rows(self) -> int:
        """Documents that enter the dedup index before the first sample."""
        return self.reference_rows + (self.seed_rows if self.recipe.dedup.seed else 0)

    @property
    def mean_chars(self) -> float:
        """Mean length of the prompts drafted; 0 where none could be rendered."""
        lengths = [len(written(d.rendered)) for d in self.drafts if d.rendered is not None]
        return sum(lengths) / len(lengths) if lengths else 0.0


def planned(loaded: LoadedRecipe, prompts: int) -> Planned:
    """Open every source and draft the first prompts; raises RecipeError and SeedError as grow."""
    recipe = loaded.recipe
    with tempfile.TemporaryDirectory(prefix="seedcorn-plan-") as folder:
        store = open_store(folder, recipe.store)

        def opened(specs: Sequence[SourceSpec]) -> list[Catalogue]:
            return [open_catalogue(spec, loaded.base, store, recipe.store) for spec in specs]

        opened(recipe.dedup.evaluations)
        references = sum(catalogue.rows for catalogue in opened(recipe.dedup.against))
        seeds = SeedSet(opened(recipe.seed), store, recipe.store)
        drafted = _drafts(recipe, seeds, store, max(prompts, MEASURED))
        return Planned(recipe, drafted, seeds.rows, references)


def written(rendered: Rendered) -> str:
    """Everything the engine is given to read, without the chat template."""
    return "\n".join(turn.content for turn in rendered.messages) or rendered.prompt


def _drafts(recipe: Recipe, seeds: SeedSet, store: Store, prompts: int) -> list[Draft]:
    """The first prompts of generation 1, in plan order; all parents are read at once."""
    plan = Plan(recipe, 1, Pool(0, seeds.group_sizes()))
    draws = [plan.draw(index) for index in range(min(prompts, len(plan)))]
    parents = ParentReader(store, seeds, {}).read([a for draw in draws for a in draw.parents])
    compiled = {spec.name: compile_prompt(spec) for spec in recipe.prompts}
    return [_draft(compiled[d.prompt], d, [parents[a] for a in d.parents]) for d in draws]


def _draft(prompt: Prompt, draw: Draw, parents: list[Parent]) -> Draft:
    ids = tuple(parent.id for parent in parents)
    texts = [parent.text for parent in parents if parent.text is not None]
    if len(texts) < len(parents):
        problems = "; ".join(f"{p.id}: {p.problem}" for p in parents if p.text is None)
        return Draft(draw, ids, None, f"rejected: seed_row ({problems})")
    try:
        return Draft(draw, ids, prompt.render(draw, 1, texts))
    except PromptFailed as error:
        return Draft(draw, ids, None, f"failed: template ({error})")
