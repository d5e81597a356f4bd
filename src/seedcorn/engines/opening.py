"""Opens the engine that a recipe names, importing nothing that the recipe does not need.

An engine is a file of this folder, its settings in `core.recipe.engine`, and an entry in `OPENERS`.
"""

from collections.abc import Callable

from seedcorn.core.engine import Engine, Use
from seedcorn.core.recipe import EngineSpec


def _vllm(spec: EngineSpec, use: Use) -> Engine:
    from seedcorn.engines import vllm_setup
    from seedcorn.engines.vllm_engine import VllmEngine

    vllm_setup.installed_vllm()
    vllm_setup.require_model(spec.model)
    return VllmEngine(spec, use)


def _simulated(spec: EngineSpec, use: Use) -> Engine:
    from seedcorn.engines.simulated_engine import SimulatedEngine

    return SimulatedEngine(spec)


def _openai(spec: EngineSpec, use: Use) -> Engine:
    from seedcorn.engines.endpoint_engine import EndpointEngine

    return EndpointEngine(spec)


OPENERS: dict[str, Callable[[EngineSpec, Use], Engine]] = {
    "vllm": _vllm,
    "simulated": _simulated,
    "openai": _openai,
}
"""By kind: how its engine is made, not started yet."""


def open_engine(spec: EngineSpec, use: Use) -> Engine:
    """The engine of a recipe, not started yet.

    A model whose chat template cannot do what `use` says is refused at start instead of failing
    every sample. Raises EngineUnavailable for a missing or untested
    package or a missing model folder.
    """
    return OPENERS[spec.kind](spec, use)
