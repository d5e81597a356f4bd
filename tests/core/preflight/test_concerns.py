"""What in a recipe is probably not meant."""

import pytest

from seedcorn.core.preflight.concerns import concerns
from seedcorn.core.recipe import PromptSpec, Recipe


def found(template, **changes):
    """The concerns about a recipe with one prompt."""
    return list(concerns(Recipe("r", prompts=[PromptSpec("p", template, **changes)])))


@pytest.mark.parametrize(
    ("template", "changes"),
    [
        ("Retell: {{ parent }}", {}),
        ("{% for p in parents %}{{ p }}{% endfor %}", {"parents": 3}),
        ("{{ parents[0] }} and {{ parents[-1] }}", {"parents": 2}),
        ("Tell.", {"parents": 0}),
        ("Tell.", {"system": "Use this: {{ parent }}"}),
        ("{{ parent }} as {{ axes.tone }}", {"axes": {"tone": ["a", "b"]}}),
        ("{{ parent }} as {{ axes['tone'] }}", {"axes": {"tone": ["a", "b"]}}),
        ("{{ parent }}", {"axes": {"tone": ["a"]}, "system": "Be {{ axes.tone }}."}),
        (
            "{{ parent }}{% for name, value in axes.items() %}{{ value }}{% endfor %}",
            {"axes": {"tone": ["a"], "form": ["b"]}},
        ),
        ("{{ parent }}{% set n = 'tone' %}{{ axes[n] }}", {"axes": {"tone": ["a"]}}),
        ("Never drawn.", {"weight": 0.0, "axes": {"tone": ["a"]}}),
    ],
)
def test_recipe_whose_templates_use_what_they_are_given_raises_no_concern(template, changes):
    assert found(template, **changes) == []


def test_template_that_never_uses_its_parent_is_a_concern():
    [concern] = found("Write about a lake.")
    assert concern.key == "prompts.0.template"
    assert "draws a document and never uses it" in concern.text
    assert "prompts.0.parents: 0" in concern.advice


def test_template_that_uses_the_first_of_several_parents_is_a_concern():
    [concern] = found("{{ parent }}", parents=3)
    assert "draws 3 documents and uses the first alone" in concern.text


@pytest.mark.parametrize("place", [2, -3, 7])
def test_template_that_uses_a_parent_it_does_not_have_is_a_concern(place):
    [concern] = found(f"{{{{ parents[0] }}}} {{{{ parents[{place}] }}}}", parents=2)
    assert f"uses parents[{place}], but draws 2" in concern.text


def test_every_axis_that_no_template_uses_is_a_concern():
    axes = {"tone": ["a", "b"], "form": ["c", "d"], "length": ["e", "f"]}
    keys = [concern.key for concern in found("{{ parent }} {{ axes.form }}", axes=axes)]
    assert keys == ["prompts.0.axes.tone", "prompts.0.axes.length"]


def test_concerns_name_the_prompt_by_its_number():
    prompts = [PromptSpec("a", "{{ parent }}"), PromptSpec("b", "Nothing.")]
    assert [c.key for c in concerns(Recipe("r", prompts=prompts))] == ["prompts.1.template"]
