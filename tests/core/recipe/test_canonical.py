"""The document that a fingerprint is taken over: fixed for what format 1 knew, whatever comes later."""

from dataclasses import MISSING, dataclass, field, fields, is_dataclass, make_dataclass, replace
from typing import get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.recipe import (
    EngineSpec,
    PromptSpec,
    Recipe,
    SamplingSpec,
    SourceSpec,
    differences,
    document,
)
from seedcorn.core.recipe.canonical import FORMAT_1
from seedcorn.core.recipe.fields import is_operational, operational, semantic

RECIPE = Recipe(
    name="fixed",
    seed=[SourceSpec(path="docs.jsonl", name="docs")],
    prompts=[PromptSpec(name="a", template="{{ parent }}", axes={"tone": ["dry"]})],
    engine=EngineSpec(kind="simulated"),
)


def nested(hint):
    """The spec that a field holds, alone or in a list."""
    inner = get_args(hint)[0] if get_origin(hint) is list else hint
    return inner if isinstance(inner, type) and is_dataclass(inner) else None


def paths(shape, prefix=""):
    for key, below in shape.items():
        yield f"{prefix}{key}"
        if below is not None:
            yield from paths(below, f"{prefix}{key}.")


def semantic_paths(spec, prefix=""):
    hints = get_type_hints(spec)
    for item in fields(spec):
        below = nested(hints[item.name])
        if not is_operational(item):
            yield f"{prefix}{item.name}"
            if below is not None:
                yield from semantic_paths(below, f"{prefix}{item.name}.")


def test_every_key_that_format_1_knew_is_still_there_and_semantic():
    assert set(paths(FORMAT_1)) - set(semantic_paths(Recipe)) == set()


def test_every_key_that_came_later_has_a_default_or_lies_in_a_section_that_came_later():
    later = set(semantic_paths(Recipe)) - set(paths(FORMAT_1))
    defaults = {
        item.name: item.default is not MISSING or item.default_factory is not MISSING
        for item in fields(Recipe)
    }
    assert all(defaults.get(key, True) for key in later if "." not in key)


@dataclass(frozen=True)
class LaterSteps:
    """A section that format 1 did not know."""

    count: int = 1
    names: list[str] = field(default_factory=list)
    speed: int = operational(3)


def with_later_keys(steps=None, critics=(), **prompt):
    """RECIPE as a later program has it: new keys in the recipe, in a prompt and in the sampling."""
    more_prompt = make_dataclass(
        "LaterPrompt",
        [("columns", list[str], field(default_factory=list))],
        bases=(PromptSpec,),
        frozen=True,
    )
    more_sampling = make_dataclass(
        "LaterSampling", [("logit_bias", float, semantic(0.5))], bases=(SamplingSpec,), frozen=True
    )
    more = make_dataclass(
        "LaterRecipe",
        [
            ("steps", LaterSteps, field(default_factory=LaterSteps)),
            ("critics", list[LaterSteps], field(default_factory=list)),
            ("colour", str, operational("red")),
        ],
        bases=(Recipe,),
        frozen=True,
    )
    known = {item.name: getattr(RECIPE, item.name) for item in fields(Recipe)}
    one = RECIPE.prompts[0]
    prompts = [more_prompt(**{f.name: getattr(one, f.name) for f in fields(one)}, **prompt)]
    engine = replace(RECIPE.engine, sampling=more_sampling())
    made = known | {"prompts": prompts, "engine": engine}
    return more(**made, steps=steps or LaterSteps(), critics=list(critics), colour="blue")


def test_fingerprint_of_a_recipe_that_uses_no_later_key_is_the_one_it_had():
    assert document(with_later_keys()) == document(RECIPE)
    assert with_later_keys().fingerprint == RECIPE.fingerprint


@pytest.mark.parametrize(
    ("later", "path"),
    [
        ({"steps": LaterSteps(count=2)}, "steps"),
        ({"critics": [LaterSteps()]}, "critics"),
        ({"columns": ["question"]}, "prompts.0.columns"),
    ],
)
def test_fingerprint_of_a_recipe_that_uses_a_later_key_is_another(later, path):
    changed = with_later_keys(**later)
    assert changed.fingerprint != RECIPE.fingerprint
    (found,) = differences(document(RECIPE), document(changed))
    assert found.key == path
    assert str(found).startswith(f"{path}: the default → ")


def test_document_of_a_later_section_holds_what_differs_from_its_defaults():
    changed = document(with_later_keys(steps=LaterSteps(names=["draft"], speed=9)))
    assert changed["steps"] == {"names": ["draft"]}


@given(st.integers(1, 9), st.floats(0, 9), st.text(min_size=1, max_size=5))
def test_document_holds_every_key_of_format_1_whatever_its_value(samples, weight, name):
    changed = replace(RECIPE, samples=samples, prompts=[replace(RECIPE.prompts[0], weight=weight)])
    made = document(replace(changed, name=name))
    assert made.keys() == FORMAT_1.keys()
    assert (made["samples"], made["prompts"][0]["weight"], made["name"]) == (samples, weight, name)
    assert made["store"] == made["run"] == made["units"] == {}
