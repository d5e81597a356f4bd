"""Recipes that could be written at commit 4aa3d63 keep fingerprint, ids, seeds, plan and prompts."""

import json
from pathlib import Path

import pytest

from seedcorn.config import load_recipe
from seedcorn.core.recipe import resolved
from seedcorn.core.recipe.tree import recipe_from_dict
from tests.golden.identities import (
    IDENTITIES,
    RECIPES,
    changed,
    draw_of,
    load,
    names_of,
    plan_of,
)

GOLDEN = json.loads(IDENTITIES.read_text(encoding="utf-8"))
PIPELINES = Path(__file__).parents[1] / "pipelines"
SHIPPED = sorted(path.name for path in (RECIPES / "shipped").glob("*.yaml"))


def label(case):
    """The recipe and its overrides, as on a command line."""
    return " ".join([case["recipe"], *case["overrides"]])


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=label)
def test_recipe_of_the_golden_record_keeps_its_fingerprint_and_template_hashes(case):
    names = names_of(load(case["recipe"], *case["overrides"]))
    assert names == {name: case[name] for name in names}


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=label)
def test_plan_of_the_golden_record_draws_the_same_ids_seeds_parents_and_prompts(case):
    recipe = load(case["recipe"], *case["overrides"])
    for held in case["plans"]:
        plan = plan_of(recipe, held["generation"], held["pools"], held.get("mixes"))
        assert [draw_of(plan, draw["index"]) for draw in held["draws"]] == held["draws"]


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=label)
def test_recipe_read_back_from_a_log_entry_keeps_its_fingerprint(case):
    stored = json.loads(json.dumps(resolved(load(case["recipe"], *case["overrides"]))))
    assert recipe_from_dict(stored).fingerprint == case["fingerprint"]


@pytest.mark.parametrize("name", sorted({change[0] for change in GOLDEN["changes"]}))
def test_key_changed_alone_gives_the_fingerprint_of_the_golden_record(name):
    recipe = load(name)
    held = {path: (value, found) for of, path, value, found in GOLDEN["changes"] if of == name}
    found = {path: changed(recipe, path, value).fingerprint for path, (value, _) in held.items()}
    assert found == {path: fingerprint for path, (_, fingerprint) in held.items()}


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipe_is_still_the_one_of_the_golden_record(name):
    """Not for ever: where a shipped recipe changes on purpose, take its name out here."""
    shipped, golden = load_recipe(str(PIPELINES / name)), load(f"shipped/{name}")
    assert shipped.recipe.fingerprint == golden.fingerprint
