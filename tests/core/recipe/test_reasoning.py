"""What a recipe says of a model's reasoning, and what a chat template says where it says nothing."""

import pytest

from seedcorn.core.engine import Markers
from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import EngineSpec, Recipe
from seedcorn.core.recipe.reasoning import FAMILIES, ReasoningSpec

QWEN = "{% set content = content.split('</think>')[-1] %}<|im_start|>assistant\n<think>\n"


@pytest.mark.parametrize(
    ("template", "family"),
    [
        (QWEN, "think"),
        ("{{ content.split('</think>')[-1] }}", "think"),
        ("Put your thoughts between [THINK] and [/THINK].", "mistral"),
        ("<|start|>assistant<|channel|>analysis<|message|>", "harmony"),
        ("<seed:think>", "seed_oss"),
        ("{{ messages[0].content }}<|im_start|>assistant\n", None),
        ("", None),
    ],
)
def test_template_names_the_family_by_its_markers(template, family):
    assert ReasoningSpec().of_template(template) == FAMILIES.get(family)


def test_recipe_comes_before_the_template():
    assert ReasoningSpec("none").of_template(QWEN) is None
    assert ReasoningSpec("mistral").of_template(QWEN) == FAMILIES["mistral"]
    assert ReasoningSpec(open="<a>", close="</a>").of_template(QWEN) == Markers("<a>", "</a>")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (ReasoningSpec("thnk"), "reasoning.markers: 'thnk' is not among auto, none, think"),
        (ReasoningSpec(open="<a>"), "reasoning.close: is empty"),
        (ReasoningSpec(close="<a>"), "reasoning.open: is empty"),
        (ReasoningSpec("think", "<a>", "</a>"), "give one of them"),
        (ReasoningSpec(prefilled=True), "say with which"),
        (ReasoningSpec("none", prefilled=True), "say with which"),
    ],
)
def test_spec_that_says_too_little_or_too_much_is_refused(spec, said):
    with pytest.raises(RecipeError, match=said):
        spec.check()


def test_fingerprint_covers_the_reasoning_only_where_a_recipe_says_something_of_it():
    def fingerprint(**settings):
        return Recipe("r", engine=EngineSpec(reasoning=ReasoningSpec(**settings))).fingerprint

    plain = Recipe("r").fingerprint
    assert fingerprint() == fingerprint(markers="auto") == plain
    others = [{"markers": "think"}, {"markers": "none"}, {"open": "<a>", "close": "</a>"}]
    assert len({plain, *(fingerprint(**settings) for settings in others)}) == 4
