"""What grow does next, and which sources may enter."""

from dataclasses import replace

import pytest

from seedcorn.core.decisions.growth import (
    SourceClaim,
    Step,
    checkpoint_due,
    ending,
    new_sources,
    next_step,
    unmeasured,
)
from seedcorn.core.errors import RecipeError, SeedError
from seedcorn.core.log.entries import (
    Decision,
    Entry,
    GenerationFinished,
    GenerationStarted,
    Measurement,
)
from seedcorn.core.log.state import COMPANIONS, STOP, CorpusState, Source
from seedcorn.core.recipe import LedgerSpec, Recipe, StopSpec, TargetSpec, UnitsSpec

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


AIMING = replace(RECIPE, generations=9, stop=StopSpec(target=TargetSpec(accepted=50)))


@pytest.mark.parametrize(("accepted", "goes_on"), [(24, True), (25, False)])
def test_next_step_reached_target_starts_no_further_generation_until_it_is_raised(
    accepted, goes_on
):
    state = state_of(2, False)
    for generation in state.generations.values():
        generation.accepted = accepted

    assert (next_step(state, AIMING, None) is not None) == goes_on
    raised = replace(AIMING, stop=StopSpec(target=TargetSpec(accepted=51)))
    assert next_step(state, raised, None) == Step(3, raised, False)


def test_next_step_open_generation_goes_on_though_the_target_is_reached():
    state = state_of(1, True)
    state.generations[1].accepted = 50

    assert next_step(state, AIMING, AIMING) == Step(2, AIMING, True)
    assert next_step(state_of(0, False), AIMING, None) == Step(1, AIMING, False)


def test_unmeasured_is_the_newest_finished_generation_with_text():
    state = state_of(2, True)
    assert unmeasured(state, RECIPE.ledger) is None
    state.generations[1].accepted = state.generations[3].accepted = 5
    assert unmeasured(state, RECIPE.ledger) == 1
    state.generations[2].accepted = 5
    assert unmeasured(state, RECIPE.ledger) == 2
    assert unmeasured(state, LedgerSpec(companions=0)) is None
    body = Measurement(COMPANIONS, {"generation": 2}, {})
    state.apply(Entry(state.sequence, "w", "", 0.0, body))
    assert unmeasured(state, RECIPE.ledger) is None


def stop(samples, why):
    return Decision(1, 1, STOP, {"samples": samples, "why": why}, f"because of {why}")


@pytest.mark.parametrize(
    ("decisions", "reason", "detail"),
    [
        ([], "exhausted", "all 100 planned samples are decided"),
        ([stop(40, "budget")], "budget", "because of budget"),
        ([stop(40, "budget"), stop(24, "target")], "target", "because of target"),
        ([stop(24, "stop_rule"), stop(40, "budget")], "stop_rule", "because of stop_rule"),
    ],
)
def test_ending_names_the_decision_that_cut_the_plan_most(decisions, reason, detail):
    state = state_of(0, True)
    state.generations[1].samples = 100
    for body in decisions:
        state.apply(Entry(state.sequence, "w", "", 0.0, body))

    assert ending(state, RECIPE.stop.target) == GenerationFinished(1, reason, detail)


def test_ending_of_a_whole_plan_that_reached_the_target_says_so():
    state = state_of(0, True)
    state.generations[1].accepted = 50

    assert ending(state, AIMING.stop.target).reason == "target"
    with pytest.raises(ValueError, match="no generation is open"):
        ending(state_of(1, False), AIMING.stop.target)


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


def test_checkpoint_waits_until_what_came_since_is_worth_its_size():
    due = [checkpoint_due(batch, 4, 100_000 + 1000 * (batch + 1), 100_000) for batch in range(8)]

    assert due == [False, False, False, True, False, False, False, True]
    assert not checkpoint_due(3, 4, 1_000_000, 999_000)
    assert checkpoint_due(3, 4, 4_000, 0)
