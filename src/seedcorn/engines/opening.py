"""Opens the engine that a recipe names, importing nothing that the recipe does not need.

An engine is a file of this folder, its settings in `core.recipe.engine`, and an entry in `OPENERS`.
"""

from collections.abc import Callable, Mapping

from seedcorn.core.engine import Engine, Use
from seedcorn.core.recipe import EngineSpec, RunSpec


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


def require_engine(spec: EngineSpec, run: RunSpec, environment: Mapping[str, str]) -> None:
    """What an engine would say only after its start, said before one: a missing package, and, where
    engines run on this machine alone, a model that is not there, not whole, or made for less.

    Raises EngineUnavailable.
    """
    open_engine(spec, Use())
    if spec.kind != "vllm" or run.ray_address or environment.get("RAY_ADDRESS"):
        return
    from seedcorn.engines import model_files, model_hub
    from seedcorn.engines.tokenizer import model_folder

    folder = model_folder(spec.model, spec.vllm.revision, environment)
    if folder is None:
        model_hub.require_reachable(spec.model, environment)
    else:
        model_files.require_whole(folder, spec, environment)
