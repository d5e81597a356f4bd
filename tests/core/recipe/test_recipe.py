"""The fingerprint covers what changes texts or verdicts; validation names what cannot work."""

from dataclasses import fields, is_dataclass, replace
from functools import reduce
from typing import Any

import pytest

from seedcorn.core.errors import RecipeError
from seedcorn.core.preflight.validation import validate
from seedcorn.core.recipe import (
    EngineSpec,
    PromptSpec,
    Recipe,
    SourceSpec,
    differences,
    document,
    resolved,
)

GOOD = Recipe(
    name="good",
    seed=[SourceSpec(path="package:passages.jsonl")],
    prompts=[PromptSpec(name="a", template="{{ parent }}"), PromptSpec(name="b", template="b")],
    engine=EngineSpec(kind="simulated"),
)


def changed(key: str, value: Any, recipe: Any = GOOD) -> Any:
    """The recipe with one dotted key replaced."""
    head, _, rest = key.partition(".")
    if isinstance(recipe, list):
        items = list(recipe)
        items[int(head)] = changed(rest, value, items[int(head)])
        return items
    inner = changed(rest, value, getattr(recipe, head)) if rest else value
    return replace(recipe, **{head: inner})


def test_validate_accepts_a_plain_recipe():
    validate(GOOD)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("name", " ", "name: is empty"),
        ("samples", 0, "samples: must be at least 1, got 0"),
        ("generations", 0, "generations"),
        ("samples_per_prompt", 0, "samples_per_prompt"),
        ("units.unit", -1, "units.unit"),
        ("units.batch", -1, "units.batch"),
        ("units.ahead", 0, "units.ahead"),
        ("dedup.threshold", 0.0, "dedup.threshold: must be more than 0"),
        ("dedup.threshold", 1.5, "dedup.threshold: must be at most 1"),
        ("dedup.threshold", float("nan"), "dedup.threshold"),
        ("run.heartbeat_s", 20.0, "run.heartbeat_s: 20 is more than half of run.lease_s 30"),
        ("engine.kind", "vlm", "engine.kind: 'vlm' is not among vllm, simulated, openai"),
        ("engine.kind", "vllm", "engine.model: engine vllm needs a model"),
        ("engine.workers", 0, "engine.workers"),
        ("engine.sampling.top_p", 0.0, "engine.sampling.top_p"),
        ("engine.sampling.temperature", -0.1, "engine.sampling.temperature"),
        ("engine.sampling.min_tokens", 999, "engine.sampling.min_tokens: 999 is more than"),
        ("stop.patience", 0, "stop.patience"),
        ("stop.min_precision", 1.5, "stop.min_precision"),
        ("ledger.companions", -1, "ledger.companions"),
        ("engine.simulated.collapse_stratum", "nobody", "engine.simulated.collapse_stratum"),
        ("engine.simulated.failure_rate", 1.2, "engine.simulated: the rate of failed"),
        ("engine.simulated.poison", [1000], "poison: index 1000 is outside 0 to 999"),
        ("engine.openai.api_key_env", "sk-abc", "engine.openai.api_key_env: needs the name"),
        ("engine.vllm.extra", {"hf_token": "x"}, "engine.vllm.extra.hf_token: looks like a secret"),
        (
            "engine.vllm.extra",
            {"a": [{"api_key": 1}]},
            r"extra\.a\.0\.api_key: looks like a secret",
        ),
        (
            "engine.chat_template_kwargs",
            {"api-key": ""},
            "engine.chat_template_kwargs.api-key: looks",
        ),
        ("prompts", [], "prompts: none given"),
        ("prompts.0.name", "Has Space", "prompts.0.name"),
        ("prompts.0.name", "b", "prompts.1.name: 'b' is used twice"),
        ("prompts.0.weight", -1.0, "prompts.0.weight"),
        ("prompts.0.weight", float("inf"), "prompts.0.weight"),
        ("prompts.0.parents", -1, "prompts.0.parents"),
        ("prompts.0.template", " ", "prompts.0.template: is empty"),
        ("prompts.0.template", "{{ who }}", "prompts.a.template: unknown variable 'who'"),
        ("prompts.0.template", "{{ 'a' * 99 }}", "prompts.0.template: .*numbers only"),
        ("prompts.1.axes", {"items": ["x"]}, "'items' cannot be an axis name"),
        ("prompts.1.axes", {"x": []}, "prompts.1.axes.x: needs at least one"),
        ("prompts.1.axes", {"x": ["1", "1"]}, "prompts.1.axes.x: .*none twice"),
        ("parents.seed", -1.0, "parents.seed"),
        ("parents.order", "random", "parents.order: 'random' is not among shuffled"),
        ("seed", [], "seed: prompt a takes parents, but there is no seed"),
        ("seed.0.format", "csv", "seed.0.format: 'csv'"),
        ("seed.0.path", "", "seed.0.path: is empty"),
        ("checks", [{"lenght": {}}], "checks.0: unknown check"),
    ],
)
def test_validate_of_an_impossible_value_names_its_key(key, value, said):
    with pytest.raises(RecipeError, match=said):
        validate(changed(key, value))


def test_validate_of_weights_that_are_all_zero_refuses():
    silent = reduce(lambda r, n: changed(f"prompts.{n}.weight", 0.0, r), (0, 1), GOOD)
    with pytest.raises(RecipeError, match="prompts: every weight is 0"):
        validate(silent)
    with pytest.raises(RecipeError, match="parents: every weight is 0"):
        validate(changed("parents.previous", 0.0, changed("parents.seed", 0.0)))


def test_validate_of_rates_that_sum_past_one_names_the_sum():
    half = changed("engine.simulated.rejection_rate", 0.7)
    with pytest.raises(RecipeError, match=r"the planted rates sum to 1\.2"):
        validate(changed("engine.simulated.duplicate_rate", 0.5, half))


def test_validate_of_more_strata_than_the_ledger_has_bits_refuses():
    prompts = [PromptSpec(name=f"p{n}", template="x") for n in range(65)]
    with pytest.raises(RecipeError, match="65 given, at most 64"):
        validate(changed("prompts", prompts))


def test_validate_of_a_prompt_without_room_in_the_model_names_both_numbers():
    vllm = changed("engine.model", "m", changed("engine.kind", "vllm"))
    validate(vllm)
    with pytest.raises(RecipeError, match=r"max_tokens: 2048 leaves no room .*max_model_len 2048"):
        validate(changed("engine.sampling.max_tokens", 2048, vllm))


def test_validate_of_a_continuation_with_a_system_message_refuses():
    with pytest.raises(RecipeError, match=r"prompts\.0\.system"):
        validate(changed("prompts.0.system", "Hi.", changed("prompts.0.continuation", True)))


@pytest.mark.parametrize(
    "key", ["corpus", "store.endpoint", "engine.openai.base_url", "seed.0.path", "engine.model"]
)
def test_validate_refuses_credentials_in_a_url_without_repeating_them(key):
    with pytest.raises(RecipeError, match=key) as caught:
        validate(changed(key, "https://user:hunter2@host/x"))
    assert "hunter2" not in str(caught.value)
    validate(changed(key, "https://host/a@b?page=2"))


def test_fingerprint_ignores_operational_fields_and_follows_all_others():
    def walk(spec, prefix=""):
        for item in fields(spec):
            value = getattr(spec, item.name)
            if is_dataclass(value):
                yield from walk(value, f"{prefix}{item.name}.")
            else:
                yield prefix + item.name, value, bool(item.metadata.get("operational"))

    leaves = list(walk(GOOD))
    assert len(leaves) > 60
    for key, value, operational in leaves:
        other = value + 1 if type(value) is int else [str(value), "other"]
        other = [] if key in ("seed", "prompts") else other
        moved = changed(key, other)
        assert (moved.fingerprint == GOOD.fingerprint) is operational, key


def keys_of(moved):
    return [one.key for one in differences(document(GOOD), document(moved))]


def test_differences_name_what_changed():
    moved = changed("engine.sampling.max_tokens", 9, changed("samples", 5))
    assert keys_of(moved) == ["engine.sampling.max_tokens", "samples"]
    moved = changed("prompts.1.template", "c", changed("seed.0.text", "body"))
    assert keys_of(moved) == ["prompts.1.template", "seed.0.text"]
    assert keys_of(changed("seed", [])) == ["seed"]


def test_difference_shows_old_and_new_and_cuts_what_is_long():
    moved = changed("prompts.1.template", "long " * 50, changed("samples", 5))
    template, samples = differences(document(GOOD), document(moved))
    assert str(samples) == f"samples: {GOOD.samples} → 5"
    assert str(template).startswith("prompts.1.template: ")
    assert str(template).endswith("…")
    assert len(str(template)) < 160


def test_resolved_holds_plain_values_only():
    def plain(value):
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(item) for key, item in value.items())
        if isinstance(value, list):
            return all(map(plain, value))
        return value is None or isinstance(value, str | int | float | bool)

    assert plain(resolved(GOOD))
