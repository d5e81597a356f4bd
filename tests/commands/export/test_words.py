"""What is published of a recipe, and sentences that follow from a manifest."""

from dataclasses import replace

from seedcorn.commands.export.words import (
    left_out,
    leftover_lines,
    limits,
    mixture,
    order,
    published_recipes,
)
from seedcorn.core.export.exports import Options
from seedcorn.core.export.manifest import empty
from seedcorn.core.export.mixture import Weights
from seedcorn.core.recipe import EngineSpec, Recipe, SourceSpec, StoreSpec, VllmSpec, resolved
from seedcorn.core.recipe.secrets import HIDDEN
from tests.core.export.test_manifest import FIRST, SECOND


def test_secrets_and_places_are_not_published():
    recipe = Recipe(
        "lakes",
        corpus="s3://internal/corpus",
        seed=[SourceSpec("s3://internal/seed", name="docs")],
        store=StoreSpec(endpoint="https://store.internal"),
        engine=EngineSpec(
            model="m", vllm=VllmSpec(extra={"hf_token": "abc", "max_tokens": 7, "api_key": "k"})
        ),
    )
    ((generations, public),) = published_recipes([(1, resolved(recipe)), (2, resolved(recipe))])
    assert generations == [1, 2]
    assert "internal" not in str(public)
    assert public["seed"][0]["name"] == "docs"
    extra = public["engine"]["vllm"]["extra"]
    assert extra == {"hf_token": HIDDEN, "max_tokens": 7, "api_key": HIDDEN}


def test_recipes_that_differ_are_told_apart():
    one, other = Recipe("lakes"), Recipe("lakes", samples=5)
    found = published_recipes([(1, resolved(one)), (2, resolved(other)), (3, resolved(one))])
    assert [numbers for numbers, _ in found] == [[1], [2], [3]]


def test_order_and_mixture_say_what_was_done():
    once = replace(empty(Options()), increments=(FIRST,))
    assert "shuffled as a whole with seed 0" in order(once)
    assert "Rows came in 2 exports" in order(replace(once, increments=(FIRST, SECOND)))
    assert "not an order to train in" in order(empty(Options(shuffle=False)))
    assert mixture(once) == "Every sample occurs once."
    assert "`copy` counts" in mixture(empty(Options(weights=Weights({"tell": 2.0}))))
    half = mixture(empty(Options(weights=Weights({}, {1: 0.5}))))
    assert half == "Mixture weights: generation:1 0.5; samples were drawn without replacement."


def test_left_out_adds_up_and_names_filters():
    summary_lines = {"generations": [{"counts": {"duplicate": 2, "rejected": 3, "failed": 0}}] * 2}
    whole = replace(empty(Options(strata=("tell",))), increments=(FIRST, SECOND))
    assert left_out(whole, summary_lines) == (
        "1 withdrawn, 3 by filters (only tell asked for), 4 not drawn by mixture weights; never "
        "accepted: 4 duplicate, 6 rejected, 0 failed"
    )


def test_limits_name_rewrites():
    assert not [line for line in limits(empty(Options())) if "removed" in line]
    assert "removed 2 times" in limits(replace(empty(Options()), rewrites=2))[-1]


def test_leftovers_and_counts_read_well():
    assert leftover_lines([], False) == []
    assert "--clean deletes them" in leftover_lines(["a"], False)[0]
    assert leftover_lines(["a", "b"], True) == ["deleted 2 shards left behind by runs that died"]
