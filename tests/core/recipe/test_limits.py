"""References are measured before they are followed; the measure is what following them gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe.limits import MAX_EXPANDED, _Measure, check_numbers, check_size, leaves


def laughs(levels, quotes):
    tree = {"b0": "x" * 10}
    for level in range(1, levels):
        tree[f"b{level}"] = f"${{b{level - 1}}}" * quotes
    return {"extra": tree | {"top": "${extra.b0}"}} | tree


def test_references_that_multiply_are_refused_before_they_are_followed():
    with pytest.raises(RecipeError, match=rf"r\.yaml: grows beyond {MAX_EXPANDED}"):
        check_size(laughs(60, 10), "r.yaml")
    check_size(laughs(4, 10), "r.yaml")


def test_cycle_is_measured_once_and_left_to_the_loader():
    check_size({"a": "${b}", "b": "${a}", "c": "${c}"}, "r.yaml")


@given(
    texts=st.lists(st.text("ab", max_size=5), min_size=3, max_size=3),
    refs=st.lists(
        st.sampled_from(["${a}", "${n.x}", "${list[0]}", "${list.1}", "${n.deep.y}"]), max_size=4
    ),
)
def test_measure_is_at_least_what_following_the_references_gives(texts, refs):
    tree = {
        "a": texts[0],
        "n": {"x": texts[1], "deep": {"y": "${..x}", "z": "${.y}"}},
        "list": [texts[2], "${a}"],
        "all": "".join(refs),
    }
    followed = OmegaConf.to_container(OmegaConf.create(tree), resolve=True)
    long = sum(len(value) for path, value in leaves(followed) if path[-1] != value)
    assert _Measure(tree).size((), tree) >= long


def test_number_beyond_every_field_is_refused_with_its_place():
    with pytest.raises(RecipeError, match=r"r\.yaml: engine\.seeds\.1: a number of 70 bits"):
        check_numbers({"engine": {"seeds": [1, 2**69]}}, "r.yaml")
