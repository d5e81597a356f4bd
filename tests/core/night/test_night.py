"""Nights: which one a moment belongs to, what is left to do in it, and what ends it."""

from dataclasses import replace
from datetime import datetime
from math import inf
from zoneinfo import ZoneInfo

import pytest

from seedcorn.core.errors import RecipeError, SeedcornError
from seedcorn.core.log.entries import (
    BatchCommitted,
    Decision,
    Entry,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    ObjectRef,
)
from seedcorn.core.log.state import FORECAST, STOP, CorpusState
from seedcorn.core.night.night import (
    SKIP_NIGHT,
    Night,
    OneNight,
    Rest,
    between,
    key_of,
    night_of,
    report_key,
)
from seedcorn.core.recipe import (
    NightBudgetSpec,
    NightlySpec,
    Recipe,
    StopSpec,
    TargetSpec,
    UnitsSpec,
    resolved,
)

BERLIN = ZoneInfo("Europe/Berlin")
RECIPE = Recipe(name="nights", samples=320, units=UnitsSpec(unit=16, batch=2, ahead=2))
"""Ten batches of 32 samples."""


def at(month, day, hour, minute=0):
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


SPEC = NightlySpec(timezone="Europe/Berlin", deadline="06:00")


@pytest.mark.parametrize(
    ("moment", "key"),
    [
        (at(11, 23, 12), "2026-11-23"),
        (at(11, 23, 22), "2026-11-23"),
        (at(11, 24, 1, 30), "2026-11-23"),
        (at(11, 24, 11, 59), "2026-11-23"),
        (at(11, 24, 12), "2026-11-24"),
        (at(12, 31, 23), "2026-12-31"),
    ],
)
def test_night_is_called_after_the_evening_it_began_on(moment, key):
    night = night_of(moment, SPEC)
    assert night.key == key
    assert night.begins <= moment.timestamp() < night.ends
    assert night.ends - night.begins == 86_400


def test_night_is_as_long_as_the_hands_of_the_clock_say():
    spring, autumn = night_of(at(3, 28, 22), SPEC), night_of(at(10, 24, 22), SPEC)
    assert spring.ends - spring.begins == 23 * 3600
    assert autumn.ends - autumn.begins == 25 * 3600
    assert autumn.deadline - autumn.begins == 19 * 3600


@pytest.mark.parametrize(
    ("begins", "deadline", "expected"),
    [
        ("12:00", "06:00", at(11, 24, 6)),
        ("12:00", "23:30", at(11, 23, 23, 30)),
        ("12:00", "12:00", at(11, 24, 12)),
        ("18:00", "12:00", at(11, 24, 12)),
    ],
)
def test_deadline_is_its_first_time_after_the_night_begins(begins, deadline, expected):
    night = night_of(at(11, 23, 22), replace(SPEC, begins=begins, deadline=deadline))
    assert night.deadline == expected.timestamp()
    assert night.deadline_text == f"{expected:%Y-%m-%d %H:%M} Europe/Berlin"


def test_night_without_a_deadline_has_no_end_of_work():
    assert night_of(at(11, 23, 22), NightlySpec()).deadline == inf


def test_night_that_is_made_up_for_keeps_its_name_and_gets_tonights_deadline():
    night = night_of(at(11, 26, 22), replace(SPEC, key="2026-11-23"))
    assert night.key == "2026-11-23"
    assert night.deadline == at(11, 27, 6).timestamp()
    with pytest.raises(RecipeError, match=r"nightly\.key"):
        night_of(at(11, 26, 22), replace(SPEC, key="2026-11"))


def test_between_names_the_nights_in_the_gap():
    assert between("2026-11-29", "2026-12-02") == ["2026-11-30", "2026-12-01"]
    assert between("2026-11-29", "2026-11-30") == between("2026-11-29", "2026-11-29") == []


def test_report_keys_stand_beside_the_corpus():
    assert report_key("2026-11-23", "json") == "reports/night-2026-11-23.json"


def log(state, body):
    state.apply(Entry(state.sequence, "w", "", 0.0, body))


def grown(*nights, finished=True):
    """A state with one finished generation per night; the last one open unless `finished`."""
    state = CorpusState()
    for number, key in enumerate(nights, 1):
        stored = resolved(replace(RECIPE, nightly=NightlySpec(key=key)))
        log(state, GenerationStarted(number, stored, RECIPE.fingerprint, "s", {}))
        if finished or number < len(nights):
            log(state, GenerationFinished(number, "exhausted"))
    return state


def batch(number, accepted=30):
    ref = ObjectRef(f"data/{number}", 1, "0" * 64, accepted)
    return BatchCommitted(
        1, number, 2 * number, 2 * number + 1, 32 * number, 32 * number + 31, accepted * number,
        {"accepted": accepted}, {}, {}, {}, [ref], [], None, 1.0, 1.0,
    )  # fmt: skip


def forecast(batches, unique):
    said = {"sampled": unique, "next": None}
    subject = {"generation": 1, "batches": batches, "batch": batches + 2}
    return Measurement(FORECAST, subject, {"rate": 0.5, "strata": {"": said}})


def guide(now=0.0, key="2026-11-23", deadline=100.0, **changes):
    night = Night(key, 0.0, 86_400.0, deadline, "06:00")
    return OneNight(replace(RECIPE, **changes), night, lambda: now)


def test_night_starts_one_generation_whatever_the_recipe_asks_for():
    step = guide(generations=1).next(grown("2026-11-21", "2026-11-22"))
    assert (step.generation, step.resumes) == (3, False)
    assert key_of(resolved(step.recipe)) == "2026-11-23"
    assert guide(generations=9).next(grown("2026-11-22", "2026-11-23")) is None


def test_night_that_is_done_says_which_generation_is_its_own():
    assert guide().rest(grown("2026-11-22", "2026-11-23")) == Rest(
        "done", "generation 2 is this night's"
    )
    assert guide().why(grown("2026-11-23")) == ""


def test_generation_left_by_another_night_is_finished_first_then_tonights_begins():
    state = grown("2026-11-21", "2026-11-22", finished=False)
    step = guide(generations=1).next(state)
    assert (step.generation, step.resumes) == (2, True)
    log(state, GenerationFinished(2, "exhausted"))
    assert guide().next(state).generation == 3


def test_generation_of_a_plain_grow_is_finished_first_and_is_nobodys_night():
    state = grown("", finished=False)
    assert guide().next(state).resumes
    log(state, GenerationFinished(1, "exhausted"))
    assert guide().next(state).generation == 2


@pytest.mark.parametrize("nights", [(), ("2026-11-22",)])
def test_nothing_is_started_at_or_after_the_deadline(nights):
    state = grown(*nights)
    assert guide(now=99.9).next(state) is not None
    assert guide(now=100.0).next(state) is None
    assert guide(now=100.0).rest(state).why == "deadline"


def test_unfinished_generation_waits_for_the_next_night_after_the_deadline():
    state = grown("2026-11-22", finished=False)
    rest = guide(now=200.0).rest(state)
    assert rest.text.endswith("generation 1 waits unfinished for the next night")
    decision = guide(now=200.0).skipped(state, rest)
    assert (decision.generation, decision.action) == (2, SKIP_NIGHT)
    assert decision.value == {"night": "2026-11-23", "why": "deadline", "at": 200.0}
    log(state, decision)
    assert state.generations[1].decisions == []


def test_target_of_the_corpus_starts_no_further_night():
    state = grown("2026-11-22")
    state.generations[1].accepted = 50
    aiming = {"stop": StopSpec(target=TargetSpec(accepted=50))}
    assert guide(**aiming).next(state) is None
    assert guide(**aiming).rest(state) == Rest("target", "50 accepted samples of 50 wanted")
    assert guide(**aiming).why(state) == "50 accepted samples of 50 wanted"


def test_clock_that_went_backwards_is_an_error_and_a_named_night_is_none():
    state = grown("2026-11-24")
    with pytest.raises(SeedcornError, match="has a generation of night 2026-11-24"):
        guide().next(state)
    assert guide(nightly=NightlySpec(key="2026-11-23")).next(state).generation == 2


def opened(batches, unique=10):
    state = grown("2026-11-23", finished=False)
    for number in range(batches):
        log(state, batch(number))
        log(state, forecast(number + 1, unique * (number + 1)))
    return state


def test_deadline_ends_the_plan_after_the_open_batches_with_its_inputs():
    state = opened(3)
    assert guide(now=99.0).due(state) is None
    decision = guide(now=160.0).due(state)
    # Batches 3 and 4 are open after three commits; the one that would open next is left out.
    assert (decision.generation, decision.batch, decision.action) == (1, 5, STOP)
    assert decision.value == {
        "samples": 5 * 32,
        "why": "budget",
        "night": "2026-11-23",
        "deadline": 100.0,
        "at": 160.0,
    }
    assert "the deadline of night 2026-11-23, 06:00, has passed" in decision.reason
    assert "decided 1 minutes after it" in decision.reason
    log(state, decision)
    assert guide(now=170.0).due(state) is None


def test_due_before_the_first_batch_or_when_all_are_open_decides_nothing():
    assert guide(now=200.0).due(opened(0)) is None
    assert guide(now=200.0).due(opened(8)) is None
    assert guide(now=200.0).due(opened(7)).batch == 9
    assert guide(now=200.0).due(grown("2026-11-23")) is None


@pytest.mark.parametrize(("batches", "due"), [(2, False), (3, True)])
@pytest.mark.parametrize(
    ("budget", "inputs"),
    [
        (NightBudgetSpec(accepted=90), {"accepted": 90}),
        (NightBudgetSpec(unique=60), {"unique": 60.0}),
    ],
)
def test_budget_of_a_night_ends_its_plan(batches, due, budget, inputs):
    # 30 accepted samples and 10 of the halved sample's shingles a batch: U is 20 a batch.
    decision = guide(nightly=NightlySpec(budget=budget)).due(opened(batches))
    assert (decision is not None) == due
    if decision is not None:
        assert decision.value.items() >= {"why": "budget", **inputs}.items()


def test_batches_that_were_open_are_never_decided_on():
    state = opened(3)
    state.generations[1].opened = 5
    assert guide(now=200.0).due(state) is None
    assert isinstance(guide(now=200.0).due(opened(3)), Decision)
