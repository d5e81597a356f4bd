"""Every shipped recipe loads, validates, plans and renders; the GPU ones also for the CPU model."""

import json
from pathlib import Path

import pytest

from seedcorn.config import load_recipe, recipe_from_dict
from seedcorn.core.engine import EngineInfo
from seedcorn.core.generate.plan import Plan, Pool
from seedcorn.core.pipeline import make_line
from seedcorn.core.recipe import resolved
from seedcorn.core.scheduling.leasing import Cut

FOLDER = Path(__file__).parent.parent / "pipelines"
SHIPPED = sorted(path.stem for path in FOLDER.glob("*.yaml"))
CPU = [
    "engine.model=.cache/models/SmolLM2-135M-Instruct",
    "engine.gpus_per_worker=0",
    "engine.vllm.device=cpu",
    "engine.vllm.max_model_len=1024",
    "engine.sampling.max_tokens=160",
    "engine.vllm.max_num_seqs=24",
    "samples=96",
]


def load(name, overrides=()):
    return load_recipe(str(FOLDER / f"{name}.yaml"), overrides).recipe


def in_flight(recipe):
    """Requests kept in flight by all workers: about 1.1 times what the engines run at once."""
    at_once = {
        "vllm": recipe.engine.vllm.max_num_seqs,
        "simulated": recipe.engine.simulated.concurrency,
    }
    return recipe.engine.workers * 1.1 * at_once[recipe.engine.kind]


def test_the_shipped_recipes_are_the_documented_ones():
    assert {"dry_run", "rephrase", "simulated", "textbook"} <= set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipe_loads_and_its_stored_form_comes_back_equal(name):
    recipe = load(name)
    assert recipe.name.replace("-", "_") == name
    restored = recipe_from_dict(json.loads(json.dumps(resolved(recipe))))
    assert restored.fingerprint == recipe.fingerprint


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipe_keeps_its_engines_busy_while_a_batch_commits(name):
    recipe = load(name)
    batch = recipe.units.unit * recipe.units.batch
    assert batch * recipe.units.ahead >= 2 * in_flight(recipe)


@pytest.mark.parametrize("name", SHIPPED)
def test_every_draw_of_a_shipped_recipe_renders(name):
    recipe = load(name)
    line = make_line(recipe, 2, EngineInfo(engine="none", model="none"), recipe.fingerprint, {})
    plan = Plan(recipe, 2, Pool(0, (48,)), [Pool(1, (30, 20))])
    branches = set()
    for index in range(min(200, recipe.samples)):
        draw = plan.draw(index)
        rendered = line.prompts[draw.prompt].render(draw, 2, ["A passage."] * len(draw.parents))
        text = rendered.as_text()
        assert all(value in text for value in draw.axes.values())
        assert ("A passage." in text) == bool(draw.parents)
        branches.add(draw.prompt)
    assert branches == {spec.name for spec in recipe.prompts}


@pytest.mark.parametrize("name", ["rephrase", "textbook"])
def test_gpu_recipe_is_overridable_to_the_cpu_model(name):
    recipe = load(name, CPU)
    assert recipe.engine.model.endswith("SmolLM2-135M-Instruct")
    assert recipe.engine.vllm.device == "cpu"
    header = (FOLDER / f"{name}.yaml").read_text().split("name:")[0]
    for override in CPU:
        assert override in header, "the recipe's own comment says how to run it on a CPU"


def test_dry_run_seals_several_batches_in_two_generations():
    recipe = load("dry_run")
    cut = Cut(recipe.samples, recipe.units.unit, recipe.units.batch)
    assert (recipe.generations, cut.batches) == (2, 3)


def test_simulated_plants_known_shares():
    spec = load("simulated").engine.simulated
    assert 0 < spec.duplicate_rate + spec.near_duplicate_rate + spec.rejection_rate < 1
