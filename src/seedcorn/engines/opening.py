"""Opens the engine that a recipe names, importing nothing that the recipe does not need."""

from seedcorn.core.engine import Engine
from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import EngineSpec

KINDS = ("vllm", "simulated", "openai")


def required_package(spec: EngineSpec) -> str:
    """The extra's module that this engine imports; empty where the core install is enough."""
    return "vllm" if spec.kind == "vllm" else ""


def open_engine(spec: EngineSpec, *, chat: bool = False) -> Engine:
    """The engine of a recipe, not started yet.

    `chat` says that the recipe sends messages: a model without a chat template is then refused at
    start instead of failing every sample. Raises RecipeError for an unknown kind and
    EngineUnavailable for a missing or untested package or a missing model folder.
    """
    if spec.kind == "simulated":
        from seedcorn.engines.simulated_engine import SimulatedEngine

        return SimulatedEngine(spec)
    if spec.kind == "openai":
        from seedcorn.engines.endpoint_engine import EndpointEngine

        return EndpointEngine(spec)
    if spec.kind == "vllm":
        from seedcorn.engines import vllm_setup
        from seedcorn.engines.vllm_engine import VllmEngine

        vllm_setup.installed_vllm()
        vllm_setup.require_model(spec.model)
        return VllmEngine(spec, chat=chat)
    raise RecipeError(f"engine.kind is {spec.kind!r}; it is one of {', '.join(KINDS)}")
