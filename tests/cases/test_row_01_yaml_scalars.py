"""A text field gets the text as written: `no`, `1.10`, `12:30`, `007` in a file and on the command line."""

import json

import pyarrow.parquet as pq
import pytest

from seedcorn.config import load_recipe
from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import resolved
from seedcorn.core.recipe.tree import recipe_from_dict
from tests.cases.running import seedcorn, write_recipe
from tests.corpora.growing import grow_in_process

WRITTEN = ["no", "Yes", "on", "OFF", "1.10", "3.0", "007", "1_000", "12:30", "0x1F", "1e3"]
WRITTEN += ["2024-01-01", "+1", ".5", "-0", "1.", "y", "N", "True", ".inf", "0b11", "0o17"]
FIELDS = {
    "name": "name: {}",
    "system": "prompts: [{{name: q, template: hi, parents: 0, system: {}}}]",
    "stratum": "prompts: [{{name: {}, template: hi, parents: 0}}]",
    "template": "prompts: [{{name: q, template: {}, parents: 0}}]",
    "id": "seed: [{{path: x, id: {}}}]",
    "text": "seed: [{{path: x, text: {}}}]",
    "stop": "engine: {{kind: simulated, sampling: {{stop: [{}]}}}}",
    "model": "engine: {{kind: simulated, model: {}}}",
    "label": "engine: {{kind: simulated, node_labels: {{zone: {}}}}}",
    "region": "store: {{region: {}}}",
    "must": "checks: [{{regex: {{must: [{}]}}}}]",
}
"""A field of text of every kind, as a line of a recipe."""

ELSEWHERE_REFUSED = {"must": {"+1"}, "label": {"12:30", "+1", ".5", "-0", "1.", ".inf"}}
"""Texts that are no regular expression, or no label that Ray knows."""


def fields_of(recipe):
    """What those fields hold."""
    return {
        "name": recipe.name,
        "system": recipe.prompts[0].system,
        "stratum": recipe.prompts[0].name,
        "template": recipe.prompts[0].template,
        "id": recipe.seed[0].id if recipe.seed else "",
        "text": recipe.seed[0].text if recipe.seed else "",
        "stop": recipe.engine.sampling.stop[0] if recipe.engine.sampling.stop else "",
        "model": recipe.engine.model,
        "label": recipe.engine.node_labels.get("zone"),
        "region": recipe.store.region,
        "must": recipe.checks[0]["regex"]["must"][0] if recipe.checks else "",
    }


@pytest.fixture
def recipe_of(tmp_path):
    """Loads a small recipe with a line in place of another of the same key."""

    def loaded(line="", *overrides):
        lines = {
            "name": "name: small",
            "prompts": "prompts: [{name: q, template: hi, parents: 0}]",
            "engine": "engine: {kind: simulated}",
        }
        if line:
            lines[line.partition(":")[0]] = line
        path = tmp_path / "small.yaml"
        path.write_text("\n".join(lines.values()) + "\n", encoding="utf-8")
        return load_recipe(str(path), overrides).recipe

    return loaded


@pytest.mark.parametrize("field", FIELDS.keys() - {"stratum"})
def test_field_of_text_holds_what_stands_in_the_file(field, recipe_of):
    texts = [text for text in WRITTEN if text not in ELSEWHERE_REFUSED.get(field, ())]
    found = [fields_of(recipe_of(FIELDS[field].format(text)))[field] for text in texts]
    assert found == texts


def test_name_of_a_prompt_and_of_an_axis_may_be_a_word_that_yaml_takes_for_more(recipe_of):
    assert fields_of(recipe_of(FIELDS["stratum"].format("no")))["stratum"] == "no"
    line = "prompts: [{name: q, parents: 0, template: '{{ axes.on }}', axes: {on: [off, no]}}]"
    assert recipe_of(line).prompts[0].axes == {"on": ["off", "no"]}


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("name", "name"),
        ("prompts.0.system", "system"),
        ("prompts[0].template", "template"),
        ("engine.model", "model"),
        ("engine.node_labels.zone", "label"),
    ],
)
def test_text_of_an_override_is_the_text_behind_the_sign(key, field, recipe_of):
    texts = [text for text in WRITTEN if text not in ELSEWHERE_REFUSED.get(field, ())]
    assert [fields_of(recipe_of("", f"{key}={text}"))[field] for text in texts] == texts


def test_override_of_a_whole_part_is_read_as_a_file_is(recipe_of):
    axes = "{on: [no, 1.10], country: [12:30]}"
    line = "prompts: [{name: q, parents: 0, template: hi, axes: {country: [se]}}]"
    found = recipe_of(line, f"prompts.0.axes={axes}", "prompts.0.axes.country.0=no")
    assert found.prompts[0].axes == {"on": ["no", "1.10"], "country": ["no"]}


def test_anchors_merge_keys_and_references_bring_the_text_along(recipe_of):
    line = (
        "prompts:\n- &first {name: q, parents: 0, template: hi, system: no, axes: {c: &c [no]}}\n"
        "- {<<: *first, name: r, axes: {d: *c, e: ['${name}-${prompts.0.system}']}}"
    )
    second = recipe_of(line).prompts[1]
    assert (second.system, second.axes) == ("no", {"d": ["no"], "e": ["small-no"]})


def test_numbers_and_truth_values_are_still_read_where_they_are_meant(recipe_of):
    overrides = ("samples=1_000", "engine.sampling.temperature=1e-1", "keep_prompt=yes")
    found = recipe_of("", *overrides, "takeover=false", "engine.workers=2")
    assert (found.samples, found.engine.sampling.temperature) == (1000, 0.1)
    assert (found.keep_prompt, found.takeover, found.engine.workers) == (True, False, 2)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("samples=12:30", "samples: 12:30 is 750 in YAML 1.1 and text in YAML 1.2"),
        ("samples=010", "samples: 010 is 8 in YAML 1.1 and 10 in YAML 1.2"),
        ("engine.chat_template_kwargs.x=off", "off is false in YAML 1.1 and text in YAML 1.2"),
        ("prompts.0.system=null", "null is no text; quote it to mean the word"),
    ],
)
def test_what_could_be_meant_in_two_ways_is_refused_with_its_key(override, said, recipe_of):
    with pytest.raises(RecipeError) as refused:
        recipe_of("", override)
    assert said in str(refused.value)
    assert override.partition("=")[0] in str(refused.value)


def test_fingerprint_is_that_of_the_quoted_text_and_stored_recipes_stay_as_they_are(recipe_of):
    line = "prompts: [{{name: q, parents: 0, template: hi, axes: {{c: [{}]}}}}]"
    plain, quoted, before = (recipe_of(line.format(text)) for text in ("no", '"no"', '"False"'))
    assert plain.fingerprint == quoted.fingerprint != before.fingerprint
    stored = json.loads(json.dumps(resolved(before)))
    assert recipe_from_dict(stored).prompts[0].axes == {"c": ["False"]}
    assert recipe_from_dict(stored).fingerprint == before.fingerprint


def test_prompts_and_shards_hold_the_words_of_the_recipe(tmp_path):
    prompt = {"name": "q", "template": "C={{ axes.country }} V={{ axes.version }} {{ parent }}"}
    recipe = write_recipe(tmp_path, keep_prompt=True, prompts=[prompt | {"axes": "AXES"}])
    axes = "{country: [de, no], version: [1.10, 12:30, 007]}"
    text = recipe.read_text(encoding="utf-8").replace("axes: AXES", f"axes: {axes}")
    recipe.write_text(text, encoding="utf-8")
    assert seedcorn("grow", recipe) == 0
    rows = pq.read_table(tmp_path / "corpus" / "data").to_pylist()
    drawn = [json.loads(row["axes"]) for row in rows]
    assert {one["country"] for one in drawn} == {"de", "no"}
    assert {one["version"] for one in drawn} == {"1.10", "12:30", "007"}
    for row, one in zip(rows, drawn, strict=True):
        assert f"C={one['country']} V={one['version']} " in row["prompt"]


def test_unfinished_generation_grown_under_the_old_reading_names_the_key(tmp_path, capsys):
    prompt = {"name": "q", "template": "{{ axes.c }} {{ parent }}", "axes": {"c": ["de", "False"]}}
    recipe = write_recipe(tmp_path, samples=48, prompts=[prompt])
    loaded = load_recipe(str(recipe))
    grow_in_process(loaded.recipe, loaded.recipe.corpus, loaded.base, batches=1)
    text = recipe.read_text(encoding="utf-8")
    assert "'False'" in text
    recipe.write_text(text.replace("'False'", "no"), encoding="utf-8")
    capsys.readouterr()
    assert seedcorn("grow", recipe) == 2
    assert "prompts.0.axes.c.1" in capsys.readouterr().err
    assert seedcorn("grow", recipe, 'prompts.0.axes.c.1="False"') == 0
