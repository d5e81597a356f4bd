"""Secrets by name and in URLs: refused before a job carries them, and never printed."""

import pytest

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe.secrets import (
    HIDDEN,
    publishable,
    redacted,
    refuse_known_secrets,
    refuse_secrets,
    refuse_stored_secrets,
    secret_names,
    without_secrets,
)

ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": "canary/of+aws",
    "NIGHT_WEBHOOK": "https://hooks.example.org/T0/canary",
    "HF_TOKEN": "canary",
    "HOME": "/home/me-and-you",
}
KEYS = ["AKIAABCDEFGHIJKLMNOP", "sk-" + "a" * 24, "hf_" + "b" * 24, "ghp_" + "c" * 36]


@pytest.mark.parametrize(
    "override",
    [
        "engine.vllm.extra.hf_token=hunter2",
        "engine.vllm.extra.api_key=hunter2",
        "store.secret=hunter2",
        "store.aws_secret_access_key=hunter2",
        "x.PASSWORD=hunter2",
        "prompts.0.template=use sk-hunter2hunter2hunter2",
    ],
)
def test_override_that_holds_a_secret_is_refused_by_key_alone(override):
    with pytest.raises(RecipeError, match=override.partition("=")[0]) as caught:
        refuse_secrets([override])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "override",
    [
        "engine.sampling.max_tokens=64",
        "engine.openai.api_key_env=OPENAI_API_KEY",
        "prompts.0.template=write to me@example.org: http://example.org/me",
    ],
)
def test_override_that_only_looks_similar_is_accepted(override):
    refuse_secrets([override])


def test_secret_variables_are_known_by_name():
    names = ["AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM"]
    assert secret_names(names) == ["AWS_SECRET_ACCESS_KEY", "HF_TOKEN"]


def test_redacted_text_keeps_everything_but_credentials():
    text = "cannot read https://me:pw@host/x?X-Amz-Signature=abc of s3://bucket/x (a@b)"
    assert redacted(text) == "cannot read https://…@host/x?… of s3://bucket/x (a@b)"


def test_publishable_hides_values_by_key_and_by_form_and_keeps_all_else():
    told = {
        "extra": {"hf_token": "abc", "api-key": "", "max_tokens": 7},
        "templates": ["see https://me:pw@a.example/x", "a@b: hi", f"use {KEYS[1]}"],
        "links": ["https://a.example/x?sig=abc&b=1", "https://a.example/x?page=1"],
    }
    assert publishable(told) == {
        "extra": {"hf_token": HIDDEN, "api-key": "", "max_tokens": 7},
        "templates": ["see https://…@a.example/x", "a@b: hi", "use …"],
        "links": ["https://a.example/x?…", "https://a.example/x?page=1"],
    }


def test_secret_of_the_environment_becomes_its_variables_name():
    text = "PUT canary/of+aws to https://hooks.example.org/T0/canary from /home/me-and-you"
    shown = "PUT $AWS_SECRET_ACCESS_KEY to $NIGHT_WEBHOOK from /home/me-and-you"
    assert without_secrets(text, ENVIRONMENT) == shown


@pytest.mark.parametrize("key", KEYS)
def test_key_of_a_known_form_is_neither_shown_nor_stored(key):
    assert key not in redacted(f"refused {key}.")
    with pytest.raises(RecipeError, match=r"prompts\.0\.template: holds what looks like") as caught:
        refuse_known_secrets({"prompts": [{"template": f"use {key}"}]}, {})
    assert key not in str(caught.value)


def test_secret_where_the_name_of_a_variable_belongs_is_refused_unseen():
    refuse_stored_secrets({"webhook_env": "NIGHT_HOOK", "other_env": ""})
    with pytest.raises(RecipeError, match=r"^nightly\.webhook_env: needs the name") as caught:
        refuse_stored_secrets({"nightly": {"webhook_env": "https://hooks.example/canary"}})
    assert "canary" not in str(caught.value)


def test_value_of_a_secret_variable_is_refused_in_values_and_keys():
    for stored in ({"axes": {"a": ["x canary/of+aws"]}}, {"axes": {"canary/of+aws": 1}}):
        with pytest.raises(RecipeError, match=r"the value of \$AWS_SECRET_ACCESS_KEY"):
            refuse_known_secrets(stored, ENVIRONMENT)
    refuse_known_secrets({"name": "canary, too short to be a secret"}, ENVIRONMENT)
