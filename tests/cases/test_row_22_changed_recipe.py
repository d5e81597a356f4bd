"""A first `grow` that fails leaves no corpus that refuses the mended recipe."""

from pathlib import Path

import pytest

from seedcorn.core.log.entries import GenerationAbandoned, GenerationStarted
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.stores.opening import open_store
from tests.cases.running import seedcorn, write_recipe
from tests.servers.endpoint import serving


@pytest.fixture
def endpoint():
    with serving(model="writer") as one:
        yield one


def remote(endpoint, **sampling):
    """The engine of a recipe that asks this endpoint."""
    return {
        "kind": "openai",
        "model": "writer",
        "openai": {"base_url": f"{endpoint.url}/v1"},
        "sampling": {"max_tokens": 64} | sampling,
    }


def state_of(recipe: Path) -> CorpusState:
    return read_state(open_store(str(recipe.parent / "corpus"), StoreSpec()))


def test_wrong_model_then_the_right_one_starts_a_new_generation(endpoint, tmp_path, capsys):
    recipe = write_recipe(tmp_path, engine=remote(endpoint))
    assert seedcorn("grow", recipe, "engine.model=no-such-model") != 0
    assert "no-such-model" in capsys.readouterr().err
    assert seedcorn("grow", recipe) == 0
    state = state_of(recipe)
    assert list(state.abandoned) == [1]
    assert state.generations[1].why_abandoned.endswith('engine.model: "no-such-model" → "writer"')
    assert state.standing[2].finished
    assert state.standing[2].accepted > 0
    assert seedcorn("verify", recipe.parent / "corpus", "--deep") == 0


def test_other_semantic_keys_of_an_empty_generation_may_change_as_well(endpoint, tmp_path):
    recipe = write_recipe(tmp_path, engine=remote(endpoint))
    assert seedcorn("grow", recipe, "engine.model=no-such-model") != 0
    prompts = "prompts=[{name: ask, parents: 0, template: Tell a story}]"
    assert seedcorn("grow", recipe, "samples=10", prompts) == 0
    assert state_of(recipe).standing[2].samples == 10


def test_same_wrong_recipe_again_goes_on_with_its_generation(endpoint, tmp_path):
    recipe = write_recipe(tmp_path, engine=remote(endpoint))
    for _ in range(2):
        assert seedcorn("grow", recipe, "engine.model=no-such-model") != 0
    store = open_store(str(tmp_path / "corpus"), StoreSpec())
    bodies = [entry.body for entry in read_log(store)]
    assert sum(isinstance(body, GenerationStarted) for body in bodies) == 1
    assert not any(isinstance(body, GenerationAbandoned) for body in bodies)


def test_operational_key_that_changes_keeps_the_generation(endpoint, tmp_path):
    recipe = write_recipe(tmp_path, engine=remote(endpoint))
    endpoint.key = "sk-right"
    assert seedcorn("grow", recipe) != 0
    endpoint.key = ""
    assert seedcorn("grow", recipe, "engine.openai.max_concurrency=3") == 0
    state = state_of(recipe)
    assert not state.abandoned
    assert state.standing[1].finished


def test_several_failed_starts_leave_one_generation_that_counts(endpoint, tmp_path):
    recipe = write_recipe(tmp_path, engine=remote(endpoint))
    for name in ("one", "two", "three"):
        assert seedcorn("grow", recipe, f"engine.model={name}") != 0
    assert seedcorn("grow", recipe, "generations=2") == 0
    state = state_of(recipe)
    assert list(state.abandoned) == [1, 2, 3]
    assert list(state.standing) == [4, 5]
    assert seedcorn("verify", tmp_path / "corpus", "--deep") == 0


def test_what_is_staged_is_not_thrown_away_and_abandon_is_offered(endpoint, tmp_path, capsys):
    recipe = write_recipe(tmp_path, engine=remote(endpoint))
    assert seedcorn("grow", recipe, "engine.model=no-such-model") != 0
    staged = tmp_path / "corpus" / "staging" / "gen-0001"
    staged.mkdir(parents=True)
    (staged / "unit-00000000-0123456789abcdef.parquet").write_bytes(b"a segment")
    capsys.readouterr()
    assert seedcorn("grow", recipe) == 2
    said = capsys.readouterr().err
    assert 'engine.model: "no-such-model" → "writer"' in said
    assert f"seedcorn abandon {tmp_path / 'corpus'}" in said
    assert not state_of(recipe).abandoned
    assert seedcorn("abandon", tmp_path / "corpus", "--reason", "wrong model") == 0
    assert seedcorn("grow", recipe) == 0
    assert state_of(recipe).generations[1].why_abandoned == "wrong model"
    assert not list((tmp_path / "corpus" / "staging").rglob("*.parquet"))
