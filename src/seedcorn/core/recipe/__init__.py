"""The recipe: everything a run is told, as frozen dataclasses; `recipe.recipe` holds the whole."""

from seedcorn.core.recipe.canonical import Difference, differences, document
from seedcorn.core.recipe.engine import (
    EndpointSpec,
    EngineSpec,
    SamplingSpec,
    SimulatedSpec,
    VllmSpec,
)
from seedcorn.core.recipe.nightly import NightBudgetSpec, NightlySpec
from seedcorn.core.recipe.reasoning import ReasoningSpec
from seedcorn.core.recipe.recipe import MAX_STRATA, LoadedRecipe, Recipe, resolved
from seedcorn.core.recipe.running import (
    BudgetSpec,
    HoldoutSpec,
    LedgerSpec,
    RunSpec,
    StopSpec,
    StoreSpec,
    TargetSpec,
    UnitsSpec,
    in_flight,
)
from seedcorn.core.recipe.texts import DedupSpec, ParentsSpec, PromptSpec, SourceSpec

__all__ = [
    "MAX_STRATA",
    "BudgetSpec",
    "DedupSpec",
    "Difference",
    "EndpointSpec",
    "EngineSpec",
    "HoldoutSpec",
    "LedgerSpec",
    "LoadedRecipe",
    "NightBudgetSpec",
    "NightlySpec",
    "ParentsSpec",
    "PromptSpec",
    "ReasoningSpec",
    "Recipe",
    "RunSpec",
    "SamplingSpec",
    "SimulatedSpec",
    "SourceSpec",
    "StopSpec",
    "StoreSpec",
    "TargetSpec",
    "UnitsSpec",
    "VllmSpec",
    "differences",
    "document",
    "in_flight",
    "resolved",
]
