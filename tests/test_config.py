"""A recipe file is read exactly, or refused in one line that names the file and the key."""

import json
from pathlib import Path

import pytest

from seedcorn.config import load_recipe, recipe_from_dict
from seedcorn.core.errors import FormatError, RecipeError
from seedcorn.core.recipe import resolved

RECIPE = """
name: small
samples: 10
seed:
  - {path: docs.jsonl, name: docs}
prompts:
  - name: tell
    template: "Tell: {{ parent }} costs $5"
    axes: {tone: [plain, 1]}
engine:
  kind: simulated
  sampling: {temperature: 1}
checks:
  - length: {min_words: 2}
"""


@pytest.fixture
def write(tmp_path):
    def written(text=RECIPE):
        path = tmp_path / "small.yaml"
        path.write_text(text)
        return str(path)

    return written


def test_load_recipe_fills_the_dataclasses_and_keeps_where_it_came_from(write):
    loaded = load_recipe(write())
    recipe = loaded.recipe
    assert (recipe.name, recipe.samples, recipe.seed[0].name) == ("small", 10, "docs")
    assert recipe.prompts[0].axes == {"tone": ["plain", "1"]}
    assert recipe.engine.sampling.temperature == 1.0
    assert recipe.engine.sampling.top_p is None
    assert recipe.checks == [{"length": {"min_words": 2}}]
    assert recipe.units.batch == 16
    assert Path(loaded.base) == Path(loaded.path).parent


def test_load_recipe_with_overrides_changes_nested_keys_and_list_items(write):
    overrides = [
        "samples=20",
        "prompts.0.weight=2",
        "prompts[0].template=a=b",
        "checks.0.length.min_words=3",
        "engine.simulated.poison=[1,2]",
        "seed.0.path='s3://bucket/a*.parquet'",
    ]
    recipe = load_recipe(write(), overrides).recipe
    assert (recipe.samples, recipe.prompts[0].weight, recipe.prompts[0].template) == (20, 2, "a=b")
    assert recipe.checks[0]["length"]["min_words"] == 3
    assert recipe.engine.simulated.poison == [1, 2]
    assert recipe.seed[0].path == "s3://bucket/a*.parquet"


def test_stored_recipe_comes_back_equal(write):
    recipe = load_recipe(write(), ["name='a \\${literal} {{ x }}'", "engine.vllm.extra={a: [1]}"])
    stored = json.loads(json.dumps(resolved(recipe.recipe)))
    restored = recipe_from_dict(stored)
    assert restored == recipe.recipe
    assert restored.name == "a ${literal} {{ x }}"
    assert restored.fingerprint == recipe.recipe.fingerprint


def test_stored_recipe_of_a_newer_version_is_refused_by_key(write):
    stored = resolved(load_recipe(write()).recipe)
    stored["prompts"][0]["novelty"] = 1
    with pytest.raises(FormatError, match="stored recipe: novelty: unknown key; use the seedcorn"):
        recipe_from_dict(stored)


def test_stored_recipe_of_an_older_version_takes_the_defaults(write):
    stored = resolved(load_recipe(write()).recipe)
    del stored["run"], stored["engine"]["sampling"]["stop"]
    assert recipe_from_dict(stored) == load_recipe(write()).recipe


def test_reference_to_another_key_is_followed(write):
    loaded = load_recipe(write(), ["corpus='corpora/${name}'", "units.unit=${samples}"])
    assert (loaded.recipe.corpus, loaded.recipe.units.unit) == ("corpora/small", 10)


@pytest.mark.parametrize(
    "value",
    [
        "${oc.env:SEEDCORN_SECRET}",
        "a ${oc.env:SEEDCORN_SECRET,x}",
        "${oc.env:${name}}",
        "${${name}:SEEDCORN_SECRET}",
        r"\\${oc.env:SEEDCORN_SECRET}",
        "${oc.decode:'1'}",
    ],
)
def test_environment_never_enters_a_recipe(write, monkeypatch, value):
    monkeypatch.setenv("SEEDCORN_SECRET", "hunter2")
    for override in (f"name='{value}'", f"engine.vllm.extra.x.y='{value}'"):
        with pytest.raises(RecipeError, match="environment") as caught:
            load_recipe(write(), [override.replace("'1'", "1")])
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("samples: 10", "sampels: 10", "sampels: unknown key; did you mean 'samples'"),
        ("samples: 10", "samples: ten", "samples: Value 'ten'"),
        ("samples: 10", "samples: 1.5", "samples: Value '1.5'"),
        ("samples: 10", "samples: null", "samples: "),
        ("samples: 10", "samples: 0", "samples: must be at least 1"),
        ("name: small", "corpus: x", "name: is missing"),
        ("name: tell", "nmae: tell", r"prompts\.0\.nmae: unknown key; did you mean 'name'"),
        ("    axes: {tone: [plain, 1]}", "    weight: x", r"prompts\.0\.weight: Value 'x'"),
        ("temperature: 1", "temprature: 1", r"engine\.sampling\.temprature: unknown .*'temp"),
        ("temperature: 1", "temperature: hot", r"engine\.sampling\.temperature: Value 'hot'"),
        ("{temperature: 1}", "5", r"engine\.sampling: must be keys with values"),
        ("  - {path: docs.jsonl, name: docs}", "  path: x", "seed: must be a list"),
        ("  - {path: docs.jsonl, name: docs}", "  - x", r"seed\.0: must be keys"),
        ("path: docs.jsonl, ", "", r"seed\.0\.path: is missing"),
        ("samples: 10", "samples: [", r"line \d+: invalid YAML"),
        ("[plain, 1]", "[plain, =]", r"line \d+: invalid YAML: = is .* quote it for the text: '='"),
        ("[plain, 1]", "[plain, <<]", r"<< is a sign of YAML's own; quote it for the text: '<<'"),
        ("tone: [plain, 1]", "tone: [!bold , b]", "!bold is a sign of YAML's own; quote it"),
        ("[plain, 1]", "[plain, @home]", "cannot start any token; quote the value if it is text"),
        ("[plain, 1]", "[plain, *b]", "undefined alias; quote the value if it is text"),
        ("samples: 10", "name: twice", "line 3: invalid YAML: found duplicate key name"),
        ("name: small", "name: ${nowhere}", "name: .*nowhere"),
        ("samples: 10", "samples: ${name}", "samples: .*'small'"),
    ],
)
def test_load_recipe_of_a_bad_file_is_one_line_with_file_and_key(write, old, new, said):
    path = write(RECIPE.replace(old, new))
    with pytest.raises(RecipeError, match=said) as caught:
        load_recipe(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("sampels=1", "sampels overridden: sampels: unknown key"),
        ("samples=x", "samples overridden: samples: "),
        ("prompts.0.wieght=1", r"prompts\.0\.wieght: unknown key; did you mean 'weight'"),
        ("prompts.7.weight=1", r"override 'prompts\.7\.weight'"),
        ("prompts.x.weight=1", r"override 'prompts\.x\.weight'"),
        ("samples", "must read key=value"),
        ("=1", "must read key=value"),
        (
            "prompts.0.axes.tone=[=]",
            "override 'prompts.0.axes.tone': .*; quote it for the text: '='",
        ),
        ("samples=[", "override 'samples': line 1|override 'samples': line 2"),
    ],
)
def test_bad_override_is_one_line_with_its_key(write, override, said):
    with pytest.raises(RecipeError, match=said) as caught:
        load_recipe(write(), [override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("checks: " + "[" * 2000 + "]" * 2000, "nest too deep"),
        ("checks: " + "{a: " * 400 + "1" + "}" * 400, "nest too deep"),
        ("a: &a [x, x]\nb: &b [*a, *a]\n" * 1, "unknown key"),
        ("checks: &a [*a]", "recursive aliases"),
        ("parents: {seed: " + "9" * 400 + "}", r"parents\.seed: a number of 1329 bits"),
        ("dedup: {threshold: 1e999}", "dedup.threshold: "),
        ("stop: !!python/object/apply:os.system [id]", "constructor for the tag"),
        ("engine.x: 1", "unknown key"),
    ],
)
def test_hostile_yaml_is_one_typed_line(write, extra, said):
    with pytest.raises(RecipeError, match=said) as caught:
        load_recipe(write(RECIPE.replace("checks:\n  - length: {min_words: 2}\n", "") + extra))
    assert "\n" not in str(caught.value)


def test_file_without_an_end_is_refused_by_its_size(tmp_path):
    with pytest.raises(RecipeError, match="larger than"):
        load_recipe("/dev/zero")


def test_references_never_multiply(write):
    levels = [f"b{n}: '" + f"${{engine.vllm.extra.b{n - 1}}}" * 9 + "'" for n in range(1, 30)]
    extra = "{b0: xxxxxxxxxx, " + ", ".join(levels) + "}"
    with pytest.raises(RecipeError, match="must not multiply"):
        load_recipe(write(), [f"engine.vllm.extra={extra}"])


def test_secret_of_the_environment_in_a_recipe_is_refused_and_not_shown(write, monkeypatch):
    monkeypatch.setenv("SEEDCORN_TEST_TOKEN", "hunter2-and-more")
    with pytest.raises(RecipeError, match=r"template: holds .*\$SEEDCORN_TEST_TOKEN") as caught:
        load_recipe(write(), ["prompts.0.template='{{ parent }} hunter2-and-more'"])
    assert "hunter2" not in str(caught.value)


def test_override_is_not_repeated_where_it_may_hold_a_secret(write):
    for override in ("corpus=s3://me:hunter2@bucket/x", "engine.vllm.extra.api_key=hunter2"):
        with pytest.raises(RecipeError) as caught:
            load_recipe(write(), [override])
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "5", "- a\n- b", "just words"])
def test_file_that_is_no_mapping_is_refused(write, text):
    with pytest.raises(RecipeError, match=r"small\.yaml: "):
        load_recipe(write(text))


def test_missing_or_unreadable_file_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"nowhere\.yaml: cannot read the recipe: No such file"):
        load_recipe(str(tmp_path / "nowhere.yaml"))
    with pytest.raises(RecipeError, match="cannot read"):
        load_recipe(str(tmp_path))
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    with pytest.raises(RecipeError, match="not UTF-8"):
        load_recipe(str(tmp_path / "latin.yaml"))


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("engine.node_labels=[a]", "engine.node_labels"),
        ("prompts.0.axes=[plain]", "axes"),
        ("seed={a: 1}", "seed"),
        ("engine.chat_template_kwargs=[1]", "engine.chat_template_kwargs"),
    ],
)
def test_list_for_a_mapping_or_the_other_way_round_is_one_typed_line_with_the_key(
    write, override, key
):
    with pytest.raises(RecipeError) as refusal:
        load_recipe(write(), [override])
    assert key in str(refusal.value)
    assert "\n" not in str(refusal.value)
