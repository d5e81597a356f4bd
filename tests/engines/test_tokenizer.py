"""The model's tokenizer, found on this machine and nowhere else."""

import pytest

from seedcorn.core.engine import Message
from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.generate.prompts import Rendered
from seedcorn.core.recipe import EngineSpec
from seedcorn.engines.tokenizer import model_folder, open_tokenizer
from tests.engines.small_model import REFUSING_SYSTEM, write_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def cached(tmp_path, reference="main"):
    """A hub cache that holds a snapshot of org/small."""
    cache = tmp_path / "hub" / "models--org--small"
    write_model(cache / "snapshots" / COMMIT)
    (cache / "refs").mkdir()
    (cache / "refs" / reference).write_text(COMMIT)
    return cache / "snapshots" / COMMIT


def test_tokens_are_those_of_the_chat_template_and_the_text(tmp_path):
    tokenizer = open_tokenizer(EngineSpec(model=str(write_model(tmp_path / "m"))))
    chat = (Message("user", "Tell it again."),)
    # <|start|> user Tell it again . <|end|> <|start|> assistant
    assert tokenizer.count(Rendered(messages=chat)) == 9
    assert tokenizer.count(Rendered(prompt="Once upon a time")) == 4
    assert set(tokenizer.special_tokens) >= {"<|start|>", "<|end|>"}


def test_template_options_of_the_recipe_reach_the_template(tmp_path):
    folder = write_model(tmp_path / "m", "{{ 'thinking hard' if think else 'no' }}")
    one = EngineSpec(model=str(folder))
    other = EngineSpec(model=str(folder), chat_template_kwargs={"think": True})
    asked = Rendered(messages=(Message("user", "x"),))
    assert [open_tokenizer(spec).count(asked) for spec in (one, other)] == [1, 2]


def test_template_that_refuses_a_chat_says_why(tmp_path):
    tokenizer = open_tokenizer(EngineSpec(model=str(write_model(tmp_path / "m", REFUSING_SYSTEM))))
    with pytest.raises(EngineUnavailable, match="System role not supported"):
        tokenizer.chat((Message("system", "s"), Message("user", "u")))


@pytest.mark.parametrize("revision", ["", "main", COMMIT])
def test_hub_name_is_found_in_the_cache(tmp_path, revision):
    snapshot = cached(tmp_path)
    places = [
        {"HF_HUB_CACHE": str(tmp_path / "hub")},
        {"HF_HOME": str(tmp_path)},
        {"HUGGINGFACE_HUB_CACHE": str(tmp_path / "hub")},
    ]
    assert {model_folder("org/small", revision, place) for place in places} == {snapshot}
    assert model_folder("org/small", "v2", places[0]) is None
    assert model_folder("org/large", revision, places[0]) is None


@pytest.mark.parametrize(
    ("model", "advice"),
    [
        ("org/small", "hf download org/small"),
        ("./nowhere", "./nowhere is no folder here"),
        ("", "engine.model"),
    ],
)
def test_tokenizer_that_is_not_here_says_how_to_get_it(tmp_path, monkeypatch, model, advice):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(EngineUnavailable, match=f"no tokenizer at hand; .*{advice}"):
        open_tokenizer(EngineSpec(model=model))


def test_folder_without_tokenizer_and_broken_one_are_told_apart(tmp_path):
    folder = write_model(tmp_path / "m")
    (folder / "tokenizer.json").write_text("{")
    with pytest.raises(EngineUnavailable, match="cannot be loaded"):
        open_tokenizer(EngineSpec(model=str(folder)))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(EngineUnavailable, match=r"has none of tokenizer\.json"):
        open_tokenizer(EngineSpec(model=str(folder)))
