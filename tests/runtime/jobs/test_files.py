"""What travels with a job: recipes with their inputs, folders, nothing; runtime environments."""

import json
import os

import pytest

from seedcorn.config import load_recipe
from seedcorn.core.errors import RecipeError, SeedError
from seedcorn.runtime.jobs import files as submission_files
from seedcorn.runtime.jobs.files import read_runtime_env, shipment

STOP_WAIT = "RAY_JOB_STOP_WAIT_TIME_S"
RECIPE = """
name: small
corpus: s3://bucket/x
seed: [{seed}]
prompts: [{{name: a, template: "{{{{ parent }}}}"}}]
engine: {{kind: simulated}}
"""


@pytest.fixture
def home(tmp_path):
    """A folder with recipes/small.yaml and seeds beside and above it."""
    (tmp_path / "recipes" / "near").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    for name in ("docs/one.txt", "docs/two.txt", "recipes/near/three.txt"):
        (tmp_path / name).write_text(name)
    return tmp_path


def load(home, *paths, overrides=()):
    seed = ", ".join(f'{{path: "{path}", name: s{n}}}' for n, path in enumerate(paths))
    recipe = home / "recipes" / "small.yaml"
    recipe.write_text(RECIPE.format(seed=seed))
    return load_recipe(str(recipe), list(overrides))


def files(folder):
    return sorted(
        os.path.relpath(os.path.join(root, name), folder)
        for root, _, names in os.walk(folder)
        for name in names
    )


def test_recipe_travels_with_what_its_relative_paths_name_and_nothing_else(home):
    shared = ("s3://bucket/docs/", "/shared/docs", "package:passages.jsonl")
    loaded = load(home, "../docs/*.txt", "near", *shared)
    with shipment(loaded, {}) as shipped:
        folder = shipped.runtime_env["working_dir"]
        assert shipped.recipe == "recipe/small.yaml"
        inputs = ["docs/one.txt", "docs/two.txt", "recipe/near/three.txt"]
        assert files(folder) == [*inputs, "recipe/small.yaml"]
    assert not os.path.exists(folder)


def test_recipe_alone_travels_alone(home):
    with shipment(load(home, "package:passages.jsonl"), {}) as shipped:
        assert files(shipped.runtime_env["working_dir"]) == [shipped.recipe] == ["small.yaml"]


def test_path_that_starts_where_one_stands_lies_beside_the_recipe_in_the_package(home, monkeypatch):
    monkeypatch.chdir(home)
    with shipment(load(home, "docs/one.txt"), {}) as shipped:
        assert files(shipped.runtime_env["working_dir"]) == ["docs/one.txt", "small.yaml"]


def test_missing_seed_is_found_before_anything_is_sent(home):
    with pytest.raises(SeedError, match="no such file"), shipment(load(home, "gone.txt"), {}):
        pass


def test_inputs_too_large_to_travel_are_refused_with_where_to_put_them(home, monkeypatch):
    monkeypatch.setattr(submission_files, "LARGEST_PACKAGE", 10)
    with pytest.raises(RecipeError, match=r"s3://"), shipment(load(home, "../docs"), {}):
        pass


def test_local_model_folder_is_refused_and_an_absolute_one_is_the_clusters(home, monkeypatch):
    monkeypatch.chdir(home)
    there = ["engine.kind=vllm", "engine.model=docs"]
    loaded = load(home, "package:passages.jsonl", overrides=there)
    with pytest.raises(RecipeError, match=r"engine\.model: docs"), shipment(loaded, {}):
        pass
    for model in ("org/model", "/models/small"):
        overrides = ["engine.kind=vllm", f"engine.model={model}"]
        with shipment(load(home, "package:passages.jsonl", overrides=overrides), {}):
            pass


def test_working_dir_travels_whole_with_the_recipe_in_it(home):
    loaded = load(home, "../docs")
    for env, option in (({}, str(home)), ({"working_dir": str(home)}, "")):
        with shipment(loaded, env, working_dir=option) as shipped:
            assert shipped.runtime_env["working_dir"] == str(home)
            assert shipped.recipe == "recipes/small.yaml"
    with (
        pytest.raises(RecipeError, match="does not hold the recipe"),
        shipment(loaded, {}, working_dir=str(home / "docs")),
    ):
        pass


def test_recipe_on_the_cluster_needs_no_working_dir_and_may_lie_in_a_remote_one(home):
    loaded = load(home, "gone.txt")
    with shipment(loaded, {}, cluster_recipe="/opt/r.yaml") as shipped:
        assert shipped.recipe == "/opt/r.yaml"
        assert "working_dir" not in shipped.runtime_env
    remote = {"working_dir": "s3://bucket/folder.zip"}
    with shipment(loaded, remote, cluster_recipe="r.yaml") as shipped:
        assert shipped.runtime_env["working_dir"] == remote["working_dir"]
    with pytest.raises(RecipeError, match="--cluster-recipe"), shipment(loaded, remote):
        pass


@pytest.mark.parametrize(
    ("given", "drain_s", "seconds"),
    [({}, None, "600"), ({STOP_WAIT: "45"}, None, "45"), ({STOP_WAIT: "45"}, 90.4, "90")],
)
def test_time_to_drain_is_a_variable_of_the_job_itself(home, given, drain_s, seconds):
    env = {"env_vars": {"A": "b", **given}}
    loaded = load(home, "package:passages.jsonl")
    with shipment(loaded, env, drain_s=drain_s) as shipped:
        assert shipped.runtime_env["env_vars"] == {"A": "b", STOP_WAIT: seconds}
    assert env == {"env_vars": {"A": "b", **given}}


def test_runtime_env_is_a_file_or_json_and_ray_judges_it(home):
    (home / "env.yaml").write_text("pip: [left-pad]\n")
    assert read_runtime_env(str(home / "env.yaml")) == {"pip": ["left-pad"]}
    assert read_runtime_env(json.dumps({"env_vars": {"A": "b"}})) == {"env_vars": {"A": "b"}}
    assert read_runtime_env("") == {}
    for wrong in ("{", "no/such.yaml", str(home / "docs" / "one.txt")):
        with pytest.raises(RecipeError, match="--runtime-env"):
            read_runtime_env(wrong)
    loaded = load(home, "package:passages.jsonl")
    with pytest.raises(RecipeError, match="Ray does not"), shipment(loaded, {"pip": 3}):
        pass
