"""The recipe: everything a run is told, as frozen dataclasses.

`config.py` fills these from YAML. Fields marked *operational* may change between runs of one
corpus (workers, URIs, intervals); every other field changes texts or verdicts and is part of the
recipe's fingerprint (`recipe.canonical`).
"""

from dataclasses import dataclass, field
from typing import Any

from seedcorn.core.codec import to_plain
from seedcorn.core.identity import canonical_json, digest
from seedcorn.core.recipe.canonical import document
from seedcorn.core.recipe.engine import KINDS, EngineSpec
from seedcorn.core.recipe.fields import operational, semantic
from seedcorn.core.recipe.nightly import NightlySpec
from seedcorn.core.recipe.running import LedgerSpec, RunSpec, StopSpec, StoreSpec, UnitsSpec
from seedcorn.core.recipe.texts import DedupSpec, ParentsSpec, PromptSpec, SourceSpec

MAX_STRATA = 64
"""The ledger keeps one bit per stratum and shingle; 64 fit in a word."""


@dataclass(frozen=True)
class Recipe:
    """One YAML file of `pipelines/`, resolved."""

    name: str
    corpus: str = operational("")
    """Where it grows: a URI, or a folder. A relative one is meant from the folder in which the command
    runs, not from the recipe's as the paths of seeds are."""
    generations: int = operational(1, at_least=1)
    samples: int = semantic(1000, at_least=1)
    """Planned samples of one generation."""
    samples_per_prompt: int = semantic(1, at_least=1)
    seed: list[SourceSpec] = field(default_factory=list)
    parents: ParentsSpec = field(default_factory=ParentsSpec)
    prompts: list[PromptSpec] = field(default_factory=list)
    engine: EngineSpec = field(default_factory=EngineSpec)
    checks: list[dict[str, Any]] = field(default_factory=list)
    """Each item names one check and its settings: `{length: {min_words: 20}}`."""
    dedup: DedupSpec = field(default_factory=DedupSpec)
    units: UnitsSpec = field(default_factory=UnitsSpec)
    ledger: LedgerSpec = field(default_factory=LedgerSpec)
    stop: StopSpec = field(default_factory=StopSpec)
    store: StoreSpec = field(default_factory=StoreSpec)
    run: RunSpec = field(default_factory=RunSpec)
    nightly: NightlySpec = operational(factory=NightlySpec)
    keep_prompt: bool = operational(False)
    takeover: bool = operational(False)

    def __post_init__(self) -> None:
        """What is left to the number of samples is settled, so that nobody else meets a zero."""
        capacity = self.engine.settings.capacity if self.engine.kind in KINDS else 0
        units = self.units.resolved(self.samples, self.samples_per_prompt, capacity)
        object.__setattr__(self, "units", units)

    @property
    def fingerprint(self) -> str:
        """32 hex digits over the fields that change texts or verdicts."""
        return digest("recipe", canonical_json(document(self)), size=16).hex()


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe, the file it came from and the folder its relative paths start at."""

    recipe: Recipe
    base: str
    path: str


def resolved(recipe: Recipe) -> dict[str, Any]:
    """The whole recipe as plain JSON values, as stored in `generation_started`."""
    return to_plain(Recipe, recipe)
