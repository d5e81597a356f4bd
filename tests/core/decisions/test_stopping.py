"""Which decisions are due: known figures in, one decision and its sentence out."""

from dataclasses import replace

import pytest

from seedcorn.core.decisions.stopping import (
    accepted_so_far,
    due,
    opening,
    reason_not_to_start,
    shares,
    unique_so_far,
    weights,
)
from seedcorn.core.ledger.alarms import Alarm
from seedcorn.core.log.entries import Measurement, ObjectRef, Withdrawn
from seedcorn.core.log.state import AUDIT, COMPANIONS, DROP_STRATUM, FORECAST, MOVE_BUDGET, STOP
from seedcorn.core.recipe import BudgetSpec, TargetSpec
from tests.core.ledger.folded import SIZE, Folded, fresh, recipe


def forecast(folded, per_sample, exclusive=None, **tokens):
    """An entry that promises `per_sample` (stratum -> low, high) unique tokens; `exclusive` is the
    share of the strata's content that no other has, `tokens` what 40 samples of each took."""
    held = folded.state.unfinished
    strata = {
        name: {
            "samples": 40,
            "tokens": tokens.get(name, 400),
            "sampled": 100,
            "exclusive": 100 * (exclusive or {}).get(name, 1.0),
            "coverage": 0.5,
            "next": ends and coming(*ends),
        }
        for name, ends in {"": (9.0, 9.0), **per_sample}.items()
    }
    batch = held.batches + folded.recipe.units.ahead
    subject = {"generation": held.number, "batches": held.batches, "batch": batch}
    return Measurement(FORECAST, subject, {"rate": 1.0, "strata": strata})


def coming(low, high):
    ends = {"estimate": 10 * low, "low": 10 * low, "high": 10 * high}
    return {"samples": 10, "method": "m", "widen": 1.0, **ends}


def after(batches, wanted, *entries, seconds=0.0):
    """So many batches, each followed by one of the entries (stratum -> low, high), if any."""
    folded = Folded(wanted).start()
    for number in range(batches):
        folded.batch(fresh(number), seconds=seconds)
        if entries:
            folded.append(forecast(folded, entries[min(number, len(entries) - 1)]))
    return folded


def decided(folded, alarms=()):
    return due(folded.state, folded.recipe, alarms)


GOOD, POOR = {"a": (5.0, 9.0), "b": (2.0, 9.0)}, {"a": (1.0, 2.9), "b": (2.0, 9.0)}


def test_weights_follow_the_newest_decision_up_to_the_batch():
    folded = after(1, recipe(weights={"a": 3.0, "b": 1.0}))
    held = folded.state.unfinished
    held.mixes = {5: {"a": 0.0, "b": 1.0}, 3: {"a": 2.0}}

    assert weights(held, folded.recipe.prompts, 2) == {"a": 3.0, "b": 1.0}
    assert weights(held, folded.recipe.prompts, 3) == {"a": 2.0, "b": 0.0}
    assert weights(held, folded.recipe.prompts, 9) == {"a": 0.0, "b": 1.0}
    assert shares(held, folded.recipe.prompts, 0) == {"a": 0.75, "b": 0.25}
    held.mixes[6] = {}
    assert shares(held, folded.recipe.prompts, 6) == {"a": 0.0, "b": 0.0}


@pytest.mark.parametrize(
    ("batches", "budget", "samples"),
    [
        (0, 30, 30),
        (0, 160, None),
        (0, 161, None),
        (2, 30, 30),
        (2, 16, 16),
        (2, 3, 16),
        (0, 0, None),
    ],
)
def test_opening_cuts_the_plan_to_the_budget_but_not_what_is_committed(batches, budget, samples):
    folded = after(batches, recipe(budget=BudgetSpec(samples=budget)))
    decision = opening(folded.state, folded.recipe)

    assert (decision and decision.value["samples"]) == samples
    if decision is not None:
        assert (decision.action, decision.value["why"], decision.batch) == (STOP, "budget", batches)
        folded.append(decision)
        assert opening(folded.state, folded.recipe) is None


def test_sample_target_is_reached_by_what_was_not_withdrawn():
    folded = after(2, recipe(target=TargetSpec(accepted=2 * SIZE)))
    assert decided(folded).value == {"samples": 3 * SIZE, "why": "target"}
    gone = Withdrawn("licence", {}, {"1": {"samples": 1, "tokens": 9}}, ObjectRef("i", 1, "", 1))
    folded.state.withdrawn.append(gone)

    assert accepted_so_far(folded.state) == 2 * SIZE - 1
    assert decided(folded) is None


def test_unique_target_adds_generations_and_leaves_out_the_withdrawn_share():
    folded = after(1, recipe(SIZE), GOOD).finish()
    folded.start()
    assert unique_so_far(folded.state) == 100
    folded.batch(fresh(1)).append(forecast(folded, GOOD))
    assert unique_so_far(folded.state) == 200
    gone = Withdrawn("x", {}, {"1": {"samples": SIZE // 4, "tokens": 9}}, ObjectRef("i", 1, "", 1))
    folded.state.withdrawn.append(gone)

    assert unique_so_far(folded.state) == 175
    done = replace(folded.recipe, stop=recipe(target=TargetSpec(unique=176)).stop)
    assert reason_not_to_start(folded.state, done.stop, done.prompts) is None
    done = replace(folded.recipe, stop=recipe(target=TargetSpec(unique=175)).stop)
    assert (
        reason_not_to_start(folded.state, done.stop, done.prompts).text
        == "175 unique tokens of 175 wanted"
    )


def test_nothing_is_decided_on_what_is_beyond_the_plan_or_was_open():
    alarm = [Alarm(0, "a", "openings", 1.0, 0.0, "all alike")]
    assert decided(after(0, recipe()), alarm) is None
    assert decided(after(1, recipe(2 * SIZE)), alarm) is None
    assert decided(after(1, recipe(3 * SIZE)), alarm).batch == 2
    folded = after(2, recipe(ahead=3), GOOD)
    folded.recipe = recipe(ahead=1)
    assert folded.state.unfinished.opened == 4
    assert decided(folded, alarm) is None
    folded.batch(fresh(2)).batch(fresh(3)).append(forecast(folded, GOOD))
    # The entry after two batches had opened batch 5.
    assert decided(folded, alarm) is None
    folded.batch(fresh(4))
    assert decided(folded, alarm).batch == 6


def test_alarm_drops_its_stratum_or_does_not_where_alarms_do_not_rule():
    alarm = [Alarm(1, "b", "openings", 1.0, 0.0, "all alike"), Alarm(1, "b", "drops", 1, 0, "gone")]
    found = decided(after(2, recipe(), GOOD), alarm)

    assert (found.action, found.batch) == (DROP_STRATUM, 3)
    assert found.value == {"stratum": "b", "weights": {"a": 1.0, "b": 0.0}}
    assert found.reason == "b: openings alarm in batch 1: all alike"
    assert decided(after(2, recipe(alarms=False), GOOD), alarm) is None


def test_last_stratum_that_stops_ends_the_generation():
    folded = after(2, recipe(weights={"a": 1.0, "b": 0.0}), GOOD)
    found = decided(folded, [Alarm(1, "a", "openings", 1.0, 0.0, "all alike")])

    assert (found.action, found.value) == (STOP, {"samples": 3 * SIZE, "why": "stop_rule"})
    assert found.reason.startswith("a: openings alarm in batch 1: all alike; fresh seed documents")


@pytest.mark.parametrize(
    ("entries", "patience", "stopped"),
    [
        ([POOR, POOR], 2, True),
        ([GOOD, POOR], 2, False),
        ([POOR, GOOD], 2, False),
        ([GOOD, POOR], 1, True),
        ([POOR], 2, False),
        ([POOR] * 5, 6, False),
        ([POOR] * 6, 6, True),
        ([POOR] * 5, 10**9, False),
        ([{"a": None, "b": (2.0, 9.0)}] * 3, 2, False),
    ],
)
def test_yield_must_be_poor_at_the_upper_end_for_so_many_batches(entries, patience, stopped):
    folded = after(len(entries), recipe(min_per_sample=3.0, patience=patience), *entries)
    found = decided(folded)

    assert (found is not None) == stopped
    if stopped:
        assert found.value["stratum"] == "a"
        assert found.reason == "a: the next sample promises at most 2.9 unique tokens, 3 are wanted"


def test_yield_is_not_judged_by_a_forecast_that_lacks_a_batch():
    folded = after(2, recipe(min_per_sample=3.0), POOR, POOR)

    assert decided(folded) is not None
    assert decided(folded.batch(fresh(2))) is None


def test_yield_per_engine_hour_shares_time_out_by_tokens():
    # 2 batches of 80 tokens in 320 s: 2 s a token. a: 10 tokens a sample, b: 20.
    folded = after(2, recipe(min_per_engine_hour=500.0, patience=1), seconds=160.0)
    entry = forecast(folded, {"a": (1.0, 3.0), "b": (1.0, 3.0)}, a=400, b=800)
    found = decided(folded.append(entry))

    # a: 3 per 20 s are 540 an hour; b: 3 per 40 s are 270.
    assert found.value["stratum"] == "b"
    assert "the next engine-hour promises at most 270 unique tokens, 500 are wanted" in found.reason


def test_yield_counts_as_new_only_the_share_that_history_does_not_explain():
    grown = after(1, recipe(SIZE, min_per_sample=3.0, patience=1), GOOD).finish()
    share = {"novel_share": {"mean": {"estimate": 0.2, "low": 0.1, "high": 0.3}}}
    grown.append(Measurement(COMPANIONS, {"generation": 1}, share))
    grown.start(recipe(min_per_sample=3.0, patience=1))
    grown.batch(fresh(0)).append(forecast(grown, {"a": (9.0, 9.9), "b": (9.0, 11.0)}))

    assert decided(grown).value["stratum"] == "a"


def test_budget_moves_to_what_surely_adds_most_that_nobody_else_has():
    wanted = recipe(weights={"a": 3.0, "b": 1.0, "c": 2.0}, move_budget=True)
    folded = after(1, wanted)
    ends = {"a": (9.0, 9.0), "b": (4.0, 5.0), "c": (5.0, 9.0)}
    folded.append(forecast(folded, ends, exclusive={"b": 0.9, "c": 0.5}))
    found = decided(folded, [Alarm(0, "a", "openings", 1.0, 0.0, "alike")])

    assert found.action == MOVE_BUDGET
    assert found.value == {"stratum": "a", "to": "b", "weights": {"a": 0.0, "b": 4.0, "c": 2.0}}
    assert found.reason.endswith("alike; b inherits its share")


def test_budget_without_a_forecast_of_the_others_is_dropped():
    folded = after(1, recipe(move_budget=True), {"a": (9.0, 9.0), "b": None})

    found = decided(folded, [Alarm(0, "a", "openings", 1.0, 0.0, "alike")])
    assert (found.action, found.value["weights"]) == (DROP_STRATUM, {"a": 0.0, "b": 1.0})


def audited(low, generation=1, stratum=""):
    return Measurement(AUDIT, {"generation": generation, "stratum": stratum}, {"low": low})


@pytest.mark.parametrize(
    ("audits", "stopped"),
    [
        ([audited(0.7)], "a"),
        ([audited(0.8)], None),
        ([audited(0.7), audited(0.9, stratum="a")], "b"),
        ([audited(0.9), audited(0.7, stratum="b")], "b"),
        ([audited(0.7), audited(0.9, generation=2)], None),
        ([audited(0.9), audited(0.7, generation=2)], "a"),
    ],
)
def test_newest_audit_of_the_stratum_rules_else_that_of_all(audits, stopped):
    wanted = recipe(SIZE, min_precision=0.8)
    folded = after(1, wanted).finish().start().batch(fresh(1)).finish()
    for body in audits:
        folded.append(body)
    found = opening(folded.start().state, wanted)

    assert (found and found.value["stratum"]) == stopped


def test_no_generation_is_started_where_no_stratum_may_be_drawn():
    wanted = recipe(SIZE, min_precision=0.8, weights={"a": 1.0, "b": 1.0, "c": 0.0})
    folded = after(1, wanted).finish().append(audited(0.7, stratum="a"))
    assert reason_not_to_start(folded.state, wanted.stop, wanted.prompts) is None
    folded.append(audited(0.6, stratum="b"))

    found = reason_not_to_start(folded.state, wanted.stop, wanted.prompts)
    assert found.why == "stop_rule"
    assert "a: an audit of generation 1 found precision from 0.700 up" in found.text
    assert "b: an audit" in found.text


@pytest.mark.parametrize(
    ("lows", "patience", "taught"),
    [
        ([0.0, -3.0], 2, False),
        ([-1.0, 2.0], 2, True),
        ([6.0, -0.1, -0.2], 2, False),
        ([-1.0], 2, True),
        ([-1.0, None], 2, True),
        ([6.0, -1.0], 1, False),
    ],
)
def test_anchor_that_learns_nothing_for_so_many_generations_ends_growth(lows, patience, taught):
    wanted = recipe(SIZE, patience=patience)
    folded = Folded(wanted)
    for number, low in enumerate(lows, 1):
        folded.start().batch(fresh(number)).finish()
        worth = None if low is None else {"estimate": low + 4, "low": low, "high": low + 8}
        gain = {"estimate": 0.0, "low": -0.001, "high": 0.001}
        values = {"worth": worth, "anchor_gain": gain}
        folded.append(Measurement(COMPANIONS, {"generation": number}, values))

    assert (reason_not_to_start(folded.state, wanted.stop, wanted.prompts) is None) == taught
    without = replace(wanted, stop=replace(wanted.stop, anchor=False))
    assert reason_not_to_start(folded.state, without.stop, without.prompts) is None
