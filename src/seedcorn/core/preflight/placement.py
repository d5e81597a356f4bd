"""Where engines may run: what a recipe must satisfy so that its workers find a place at all."""

import re
from collections.abc import Mapping

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe.engine import AUTO, KINDS, EngineSpec

EXECUTORS = (AUTO, "mp", "ray")
_WORD = r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"(?:{_WORD}/)?{_WORD}")
_VALUE = re.compile(rf"!?(?:{_WORD}|in\(\s*{_WORD}(?:\s*,\s*{_WORD})*\s*\))")


def check(engine: EngineSpec, on_ray: bool) -> None:
    """Raises RecipeError for workers, GPUs, executors or labels that cannot work, or where an
    engine that cannot share the driver's process would have to."""
    if not on_ray:
        _shared(engine)
    _workers(engine)
    _gpus(engine)
    _labels("engine.node_labels", engine.node_labels)
    _labels("engine.prefer_labels", engine.prefer_labels)


def _shared(engine: EngineSpec) -> None:
    """Without Ray the engine lives in the driver's process."""
    remedy = "leave run.ray_address empty for a Ray of its own on this machine"
    if engine.settings.loads_model:
        alone = " or ".join(kind for kind in KINDS if not getattr(engine, kind).loads_model)
        raise RecipeError(
            f"run.ray_address: none runs the engine in the driver's own process, and {engine.kind} "
            f"needs others; {remedy}, or use engine.kind {alone}"
        )
    if engine.kind == "simulated" and engine.simulated.poison:
        raise RecipeError(
            "engine.simulated.poison: ends the engine's process, which is the driver's own with "
            f"run.ray_address: none; {remedy}"
        )


def _workers(engine: EngineSpec) -> None:
    workers = engine.workers
    if isinstance(workers, str):
        if workers != AUTO:
            raise RecipeError(
                f"engine.workers: must be a whole number of at least 1, or auto; got {workers!r}"
            )
        if not (engine.cpus_per_worker or engine.gpus_per_worker):
            raise RecipeError(
                "engine.workers: auto needs engine.cpus_per_worker or engine.gpus_per_worker: "
                "workers that ask for nothing fit a cluster any number of times"
            )
    elif workers < 1:
        raise RecipeError(f"engine.workers: must be at least 1, or auto; got {workers}")


def _gpus(engine: EngineSpec) -> None:
    gpus, executor = engine.gpus_per_worker, engine.vllm.executor
    if executor not in EXECUTORS:
        raise RecipeError(f"engine.vllm.executor: {executor!r} is not among {', '.join(EXECUTORS)}")
    if gpus != int(gpus) and (gpus > 1 or engine.devices > 1):
        raise RecipeError(
            f"engine.gpus_per_worker: {gpus:g} is a fraction; only an engine on less than one GPU, "
            "with tensor_parallel and pipeline_parallel of 1, can share it"
        )
    if engine.spans_nodes and gpus > 1:
        raise RecipeError(
            f"engine.gpus_per_worker: is {gpus:g}, but an engine across nodes takes 1 GPU for each "
            f"of its {engine.devices} parts; set it to 1"
        )


def _labels(key: str, labels: Mapping[str, str]) -> None:
    for name, value in labels.items():
        is_text = isinstance(name, str) and isinstance(value, str)
        if not is_text or not _KEY.fullmatch(name) or not _VALUE.fullmatch(value):
            raise RecipeError(
                f"{key}: {name}: {value!r} is no label that Ray can select: write a value, !value, "
                "in(a,b) or !in(a,b)"
            )
