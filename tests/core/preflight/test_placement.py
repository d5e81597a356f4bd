"""Recipes whose engines no cluster could place are refused by name, before anything starts."""

from dataclasses import replace

import pytest

from seedcorn.core.errors import RecipeError
from seedcorn.core.preflight.placement import check
from seedcorn.core.recipe import EngineSpec, Recipe, SimulatedSpec, VllmSpec
from seedcorn.core.recipe.tree import recipe_from_dict

SPEC = EngineSpec(kind="simulated")


@pytest.mark.parametrize(
    "engine",
    [
        SPEC,
        replace(SPEC, workers="auto"),
        replace(SPEC, workers="auto", cpus_per_worker=0, gpus_per_worker=0.5),
        replace(SPEC, gpus_per_worker=2),
        replace(SPEC, gpus_per_worker=1, vllm=VllmSpec(tensor_parallel=2, pipeline_parallel=2)),
        replace(SPEC, node_labels={"ray.io/accelerator-type": "in(L4, A10G)"}),
        replace(SPEC, prefer_labels={"market": "!on-demand"}),
    ],
)
def test_placements_that_ray_can_make_pass(engine):
    check(engine, on_ray=True)


@pytest.mark.parametrize(
    ("engine", "problem"),
    [
        (replace(SPEC, workers=0), "engine.workers: must be at least 1, or auto; got 0"),
        (replace(SPEC, workers="many"), "engine.workers: must be a whole number .* got 'many'"),
        (replace(SPEC, workers="4"), "engine.workers: must be a whole number"),
        (replace(SPEC, workers="auto", cpus_per_worker=0), "engine.workers: auto needs"),
        (replace(SPEC, gpus_per_worker=1.5), "engine.gpus_per_worker: 1.5 is a fraction"),
        (
            replace(SPEC, gpus_per_worker=0.5, vllm=VllmSpec(tensor_parallel=2)),
            "engine.gpus_per_worker: 0.5 is a fraction",
        ),
        (
            replace(SPEC, gpus_per_worker=2, vllm=VllmSpec(pipeline_parallel=2)),
            "engine.gpus_per_worker: is 2, but an engine across nodes takes 1 GPU for each of its 2",
        ),
        (replace(SPEC, vllm=VllmSpec(executor="uni")), "engine.vllm.executor: 'uni' is not among"),
        (replace(SPEC, node_labels={"market": ""}), "engine.node_labels: market: '' is no label"),
        (replace(SPEC, prefer_labels={"a b": "c"}), "engine.prefer_labels: a b: 'c' is no label"),
    ],
)
def test_placements_that_cannot_work_are_refused_by_their_key(engine, problem):
    with pytest.raises(RecipeError, match=problem):
        check(engine, on_ray=True)


@pytest.mark.parametrize(
    ("engine", "problem"),
    [
        (replace(SPEC, kind="vllm"), "run.ray_address: none runs the engine in the driver's own"),
        (replace(SPEC, simulated=SimulatedSpec(poison=[3])), "engine.simulated.poison: ends the"),
    ],
)
def test_engines_that_need_a_process_are_refused_without_ray_and_only_there(engine, problem):
    check(engine, on_ray=True)
    with pytest.raises(RecipeError, match=problem):
        check(engine, on_ray=False)


def test_where_engines_run_is_no_part_of_what_a_recipe_is():
    recipe = Recipe("x", engine=SPEC)
    moved = replace(
        SPEC,
        workers="auto",
        node_labels={"zone": "a"},
        prefer_labels={"market": "spot"},
        vllm=VllmSpec(pipeline_parallel=2, executor="ray"),
    )

    assert Recipe("x", engine=moved).fingerprint == recipe.fingerprint
    assert recipe_from_dict({"name": "x", "engine": {"workers": "auto"}}).engine.scales
