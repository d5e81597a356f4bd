"""Opens the engine that a recipe names, importing nothing that the recipe does not need.

An engine is a file of this folder, its settings in `core.recipe.engine`, and an entry in `OPENERS`.
"""

from collections.abc import Callable

from seedcorn.core.engine import Engine
from seedcorn.core.recipe import EngineSpec


def _vllm(spec: EngineSpec, chat: bool) -> Engine:
    from seedcorn.engines import vllm_setup
    from seedcorn.engines.vllm_engine import VllmEngine

    vllm_setup.installed_vllm()
    vllm_setup.require_model(spec.model)
    return VllmEngine(spec, chat=chat)


def _simulated(spec: EngineSpec, chat: bool) -> Engine:
    from seedcorn.engines.simulated_engine import SimulatedEngine

    return SimulatedEngine(spec)


def _openai(spec: EngineSpec, chat: bool) -> Engine:
    from seedcorn.engines.endpoint_engine import EndpointEngine

    return EndpointEngine(spec)


OPENERS: dict[str, Callable[[EngineSpec, bool], Engine]] = {
    "vllm": _vllm,
    "simulated": _simulated,
    "openai": _openai,
}
"""By kind: how its engine is made, not started yet."""


def open_engine(spec: EngineSpec, *, chat: bool = False) -> Engine:
    """The engine of a recipe, not started yet.

    `chat` says that the recipe sends messages: a model without a chat template is then refused at
    start instead of failing every sample. Raises EngineUnavailable for a missing or untested
    package or a missing model folder.
    """
    return OPENERS[spec.kind](spec, chat)
