"""An export of columns that the corpus cannot fill is refused in one line, before a file is written."""

import pyarrow.parquet as pq
import pytest

from tests.cases.running import seedcorn, write_recipe


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory):
    """A corpus grown without `keep_prompt`."""
    folder = tmp_path_factory.mktemp("forgetful")
    assert seedcorn("grow", write_recipe(folder)) == 0
    return folder / "corpus"


@pytest.fixture(scope="module")
def careful(tmp_path_factory):
    """(recipe, corpus) grown with `keep_prompt`."""
    folder = tmp_path_factory.mktemp("careful")
    recipe = write_recipe(folder, keep_prompt=True)
    assert seedcorn("grow", recipe) == 0
    return recipe, folder / "corpus"


def refusal(capsys, corpus, target, columns):
    """What a refused export says."""
    capsys.readouterr()
    assert seedcorn("export", corpus, target, "--columns", columns) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert not list(target.rglob("*.*"))
    return said[0]


def test_prompt_of_a_corpus_without_prompts_is_refused(forgetful, tmp_path, capsys):
    said = refusal(capsys, forgetful, tmp_path / "out", "text,prompt")
    assert "`prompt` cannot be filled" in said
    assert "keep_prompt: true" in said


def test_all_columns_that_cannot_be_filled_are_named_at_once(forgetful, tmp_path, capsys):
    said = refusal(capsys, forgetful, tmp_path / "out", "text,reasoning,prompt,model")
    assert "`prompt` cannot be filled" in said
    assert "`reasoning` cannot be filled: no sample has a trace" in said


def test_prompt_of_a_corpus_with_prompts_is_exported_whole(careful, tmp_path):
    assert seedcorn("export", careful[1], tmp_path / "out", "--columns", "text,prompt") == 0
    (shard,) = (tmp_path / "out").rglob("*.parquet")
    prompts = pq.read_table(shard)["prompt"].to_pylist()
    assert len(prompts) > 10
    assert all("Tell this again: In " in prompt for prompt in prompts)


def test_generation_that_stopped_keeping_prompts_is_named(careful, tmp_path, capsys):
    recipe, _ = careful
    corpus = tmp_path / "corpus"
    assert seedcorn("grow", recipe, f"corpus={corpus}") == 0
    assert seedcorn("export", corpus, tmp_path / "first", "--columns", "text,prompt") == 0
    assert seedcorn("grow", recipe, f"corpus={corpus}", "generations=2", "keep_prompt=false") == 0
    said = refusal(capsys, corpus, tmp_path / "out", "text,prompt")
    assert "samples of generation 2 were written without" in said
    assert seedcorn("export", corpus, tmp_path / "first", "--columns", "text,prompt") == 2


def test_generation_that_has_prompts_can_be_exported_alone(careful, tmp_path, capsys):
    recipe, _ = careful
    corpus = tmp_path / "corpus"
    assert seedcorn("grow", recipe, f"corpus={corpus}", "keep_prompt=false") == 0
    assert seedcorn("grow", recipe, f"corpus={corpus}", "generations=2") == 0
    asked = ("--columns", "text,prompt", "--generation", "2")
    assert seedcorn("export", corpus, tmp_path / "out", *asked) == 0


def test_columns_that_every_sample_has_are_exported(forgetful, tmp_path):
    columns = "text,axes,sampling,seed,finish_reason,checks,prompt_tokens"
    assert seedcorn("export", forgetful, tmp_path / "out", "--columns", columns) == 0
    (shard,) = (tmp_path / "out").rglob("*.parquet")
    table = pq.read_table(shard)
    assert {name: table[name].null_count for name in table.column_names} == dict.fromkeys(
        table.column_names, 0
    )
