"""What grow does next, and which sources may enter."""

from dataclasses import replace

import pytest

from seedcorn.core.entries import Entry, GenerationFinished, GenerationStarted
from seedcorn.core.errors import RecipeError, SeedError
from seedcorn.core.growth import SourceClaim, Step, new_sources, next_step
from seedcorn.core.recipe import Recipe, UnitsSpec
from seedcorn.core.state import CorpusState, Source

RECIPE = Recipe(name="r", samples=100, generations=2, units=UnitsSpec(unit=8, batch=4, ahead=2))


def state_of(finished: int, open_one: bool) -> CorpusState:
    state = CorpusState()
    for number in range(1, finished + open_one + 1):
        state.apply(
            Entry(state.sequence, "w", "", 0.0, GenerationStarted(number, {}, "f", "s", {}))
        )
        if number <= finished:
            body = GenerationFinished(number, "exhausted")
            state.apply(Entry(state.sequence, "w", "", 0.0, body))
    return state


@pytest.mark.parametrize(
    ("finished", "expected"),
    [(0, Step(1, RECIPE, False)), (1, Step(2, RECIPE, False)), (2, None), (3, None)],
)
def test_next_step_without_an_open_generation_starts_the_next_until_all_exist(finished, expected):
    assert next_step(state_of(finished, False), RECIPE, None) == expected


def test_next_step_open_generation_keeps_its_cut_and_takes_new_operations():
    now = replace(RECIPE, generations=5, units=UnitsSpec(unit=16, batch=2, ahead=7))

    step = next_step(state_of(1, True), now, RECIPE)

    assert step == Step(2, replace(now, units=UnitsSpec(unit=8, batch=4, ahead=7)), True)


def test_next_step_open_generation_beyond_the_recipe_is_finished_first():
    now = replace(RECIPE, generations=1)

    assert next_step(state_of(1, True), now, RECIPE) == Step(2, now, True)


def test_next_step_open_generation_with_other_meaning_is_refused():
    with pytest.raises(RecipeError, match="samples"):
        next_step(state_of(0, True), replace(RECIPE, samples=101), RECIPE)


def logged(name: str, role: str = "seed", fingerprint: str = "f") -> tuple[Source, str]:
    return Source(role, name, 0, 1, {}, 0), fingerprint


def claim(name: str, role: str = "seed", fingerprint: str = "f") -> SourceClaim:
    return SourceClaim(role, name, 1, fingerprint)


def test_new_sources_rank_evaluations_then_references_then_seeds_in_recipe_order():
    claims = [claim("s2"), claim("s1"), claim("e", "evaluation"), claim("r", "reference")]

    fresh = new_sources([logged("s2")], claims)

    assert [(c.role, c.name) for c in fresh] == [
        ("evaluation", "e"),
        ("reference", "r"),
        ("seed", "s1"),
    ]


def test_new_sources_changed_files_are_refused_by_name():
    with pytest.raises(SeedError, match="seed source 'a' is not what the corpus was grown from"):
        new_sources([logged("a")], [claim("b"), claim("a", fingerprint="other")])


def test_new_sources_same_name_in_another_role_is_another_source():
    assert new_sources([logged("a")], [claim("a", "reference", "other")]) == [
        claim("a", "reference", "other")
    ]


def test_new_sources_all_known_adds_nothing():
    assert new_sources([logged("a"), logged("b")], [claim("b"), claim("a")]) == []
