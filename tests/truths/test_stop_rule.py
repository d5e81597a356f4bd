"""Whole corpora in this process that end before their plan does, and why: target, budget, yield,
alarms, audits, the anchor. Everything but Ray is the code that runs in production."""

from dataclasses import replace

import numpy as np
import pytest

from seedcorn.core.forecast.forecast import Evidence, forecast
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.log.entries import (
    BatchCommitted,
    Decision,
    GenerationFinished,
    Measurement,
    SeedAdded,
    WriterOpened,
)
from seedcorn.core.log.state import AUDIT, COMPANIONS, ENGINE_TIME
from seedcorn.core.recipe import BudgetSpec, LedgerSpec, SimulatedSpec, TargetSpec
from seedcorn.core.simulation.simulation import instance_of
from seedcorn.storage.log.reading import read_ledger, read_state
from tests.truths.stopping_corpora import ENDLESS, SIZE, UNITS, Corpus, recipe


@pytest.fixture
def corpus(tmp_path):
    return Corpus(tmp_path)


@pytest.mark.parametrize("ahead", [1, 2])
def test_target_of_accepted_samples_ends_with_the_governed_batch(corpus, ahead):
    units = replace(UNITS, ahead=ahead)
    corpus.grow(recipe(generations=3, units=units, target=TargetSpec(accepted=5 * SIZE)))

    # Every sample is accepted, so batch 4 reaches it; `ahead` more were open by then.
    assert len(corpus.batches) == 5 + ahead
    assert corpus.ends == [(1, "target")]
    assert corpus.log(GenerationFinished)[0].detail == "320 accepted samples of 320 wanted"
    assert corpus.sound()


def test_target_of_unique_tokens_overshoots_by_the_open_batches_and_starts_nothing_more(corpus):
    wanted = recipe(generations=3, target=TargetSpec(unique=4000))
    corpus.grow(wanted)
    rows = to_json(read_ledger(corpus.store))["generations"]
    curve = [tick["unique_tokens"]["estimate"] for tick in rows[0]["curve"]]

    assert [row["reason"] for row in rows] == ["target"]
    assert curve[-4] < 4000 <= curve[-3]
    assert curve[-1] == rows[0]["unique_tokens"]["estimate"]
    before = len(corpus.log())
    corpus.grow(wanted)
    assert corpus.log()[before:] == []
    corpus.grow(recipe(generations=3, target=TargetSpec(unique=8000)))
    assert corpus.ends == [(1, "target"), (2, "target")]
    assert corpus.sound()


@pytest.mark.parametrize("budget", [1, 100, 3 * SIZE, 200])
def test_sample_budget_is_exact_inside_a_unit_too(corpus, budget):
    corpus.grow(recipe(generations=2, budget=BudgetSpec(samples=budget)))

    for generation in (1, 2):
        counted = [sum(b.counts.values()) for b in corpus.batches if b.generation == generation]
        assert sum(counted) == budget
    assert corpus.ends == [(1, "budget"), (2, "budget")]
    assert corpus.sound()


@pytest.mark.parametrize(("budget", "planned"), [(150, 150), (2 * SIZE, 2 * SIZE), (70, 2 * SIZE)])
def test_smaller_budget_of_a_resumed_generation_is_exact_or_ends_it_there(corpus, budget, planned):
    corpus.grow(recipe(), batches=2)
    corpus.grow(recipe(budget=BudgetSpec(samples=budget)))

    assert sum(sum(batch.counts.values()) for batch in corpus.batches) == planned
    assert corpus.ends == [(1, "budget")]
    assert read_state(corpus.store).generations[1].samples == planned
    assert corpus.sound()


def test_engine_hours_end_the_generation(corpus):
    corpus.grow(recipe(budget=BudgetSpec(engine_hours=1e-9)))

    assert len(corpus.batches) == 1 + UNITS.ahead
    assert corpus.ends == [(1, "budget")]


SATURATING = SimulatedSpec(words=8, template_rate=1.0, template_instances=640, concurrency=16)


def promised_at_most(grown, batches, size, ahead):
    """Unique tokens per sample at the upper end of the forecast after so many batches.

    From the drawn instances alone: every text is one shingle of eight tokens, so Q_i instances were
    drawn i times.
    """
    count, fingerprint = batches * size, grown.fingerprint
    drawn = [instance_of(fingerprint, 1, index, SATURATING) for index in range(count)]
    occurrences = np.bincount(np.bincount(drawn))[1:]
    alone = int(occurrences[0])
    coming = forecast(Evidence(count, occurrences, alone, alone, 1.0), size, ahead * size)
    assert coming is not None
    return 8 * coming.high / size


@pytest.mark.parametrize("ahead", [1, 2])
def test_saturated_template_ends_where_the_upper_end_says_twice(corpus, ahead):
    units, size, wanted = replace(UNITS, ahead=ahead), SIZE, 4.0
    grown = recipe(40 * size, simulated=SATURATING, units=units, min_per_sample=wanted)
    poor = [promised_at_most(grown, n, size, ahead) < wanted for n in range(1, 40)]
    decided = 2 + next(n for n in range(38) if poor[n] and poor[n + 1])
    corpus.grow(grown)

    assert 5 < decided < 20
    assert len(corpus.batches) == decided + ahead
    assert corpus.ends == [(1, "stop_rule")]
    assert "4 are wanted" in corpus.log(GenerationFinished)[0].detail
    assert corpus.sound()


COLLAPSING = replace(
    ENDLESS, collapse_from=5 * SIZE, collapse_stratum="retell", template_instances=2
)


@pytest.mark.parametrize(
    ("move", "action"), [(False, "drop_stratum"), (True, "move_budget")], ids=["drop", "move"]
)
def test_collapsed_stratum_is_not_drawn_from_the_governed_batch_on(corpus, move, action):
    corpus.grow(recipe(strata=2, simulated=COLLAPSING, move_budget=move))
    decisions, document = corpus.log(Decision), to_json(read_ledger(corpus.store))

    assert [(d.batch, d.action) for d in decisions] == [(8, action)]
    assert {a["stratum"] for a in document["generations"][0]["alarms"]} == {"retell"}
    assert document["generations"][0]["alarms"][0]["batch"] == 5
    for number in range(8):
        assert corpus.strata(number) == {"retell", "invent"}
    for number in range(8, 20):
        assert corpus.strata(number) == {"invent"}
    assert sum(sum(batch.counts.values()) for batch in corpus.batches) == 20 * SIZE
    assert corpus.ends == [(1, "exhausted")]
    weights = decisions[0].value["weights"]
    assert weights == {"retell": 0.0, "invent": 2.0 if move else 1.0}
    assert corpus.sound()


def test_forecasts_after_a_drop_are_about_what_is_still_drawn(corpus):
    corpus.grow(recipe(strata=2, simulated=COLLAPSING))
    forecasts = to_json(read_ledger(corpus.store))["generations"][0]["forecasts"]
    after = {f["batch"]: f for f in forecasts if f["stratum"] == "" and f["batch"] > 8}

    assert {f["stratum"] for f in forecasts if f["batch"] > 8} == {"", "invent"}
    scored = [after[batch] for batch in range(9, 20)]
    assert sum(one["covered"] for one in scored) >= 10
    # What became of the stratum that collapsed widens nobody else's intervals.
    assert all(one["high"] - one["low"] < 0.2 * one["estimate"] for one in scored)


def test_stratum_that_collapsed_is_shown_and_goes_on_where_alarms_do_not_rule(corpus):
    corpus.grow(recipe(samples=10 * SIZE, strata=2, simulated=COLLAPSING, alarms=False))

    assert corpus.log(Decision) == []
    assert corpus.strata(9) == {"retell", "invent"}
    alarms = to_json(read_ledger(corpus.store))["generations"][0]["alarms"]
    assert alarms[0]["batch"] == 5


@pytest.mark.parametrize("strata", [1, 2, 3])
def test_every_stratum_stopped_ends_the_generation_with_a_reason(corpus, strata):
    simulated = replace(COLLAPSING, collapse_stratum="")
    corpus.grow(recipe(strata=strata, simulated=simulated))

    assert [d.action for d in corpus.log(Decision)] == ["drop_stratum"] * (strata - 1) + ["stop"]
    assert corpus.ends == [(1, "stop_rule")]
    assert "alarm in batch" in corpus.log(GenerationFinished)[0].detail
    assert "would bring new content" in corpus.log(GenerationFinished)[0].detail
    assert len(corpus.batches) < 20
    assert corpus.sound()


def audit(generation, low, stratum=""):
    values = {"estimate": 0.9, "low": low, "high": 0.95, "drawn": 100, "right": 90}
    return Measurement(AUDIT, {"generation": generation, "stratum": stratum}, values)


def test_stratum_with_a_poor_audit_is_not_drawn_by_the_next_generation(corpus):
    two = recipe(samples=3 * SIZE, strata=2, min_precision=0.8)
    corpus.grow(two)
    corpus.append(audit(1, low=0.7, stratum="invent"))
    corpus.append(audit(1, low=0.9))
    corpus.grow(replace(two, generations=2))

    assert [(d.generation, d.batch, d.action) for d in corpus.log(Decision)] == [
        (2, 0, "drop_stratum")
    ]
    assert "precision from 0.700 up, 0.8 is wanted" in corpus.log(Decision)[0].reason
    assert [corpus.strata(n) for n in range(6)] == [{"retell", "invent"}] * 3 + [{"retell"}] * 3
    assert corpus.sound()


def test_poor_audit_of_everything_starts_no_further_generation(corpus):
    two = recipe(samples=3 * SIZE, strata=2, min_precision=0.8)
    corpus.grow(two)
    corpus.append(audit(1, low=0.7))
    corpus.grow(replace(two, generations=5))

    assert corpus.ends == [(1, "exhausted")]
    assert len(corpus.batches) == 3


def test_poor_audit_in_mid_generation_stops_what_it_is_about(corpus):
    corpus.grow(recipe(min_precision=0.8), batches=4)
    corpus.append(audit(1, low=0.7))
    corpus.grow(recipe(min_precision=0.8))

    # The keeper decides when it has loaded, on the batch after those that are open.
    assert len(corpus.batches) == 4 + UNITS.ahead
    assert corpus.ends == [(1, "stop_rule")]
    assert corpus.sound()


def worth(low):
    return {"worth": {"estimate": low + 1, "low": low, "high": low + 2}}


@pytest.mark.parametrize(
    ("lows", "patience", "generations"),
    [
        ([-0.4, -1.0], 2, 2),
        ([-0.4, 0.6], 2, 3),
        ([2.0, -0.3], 1, 2),
        ([-0.3, -0.3], 3, 3),
    ],
)
def test_generations_that_teach_nothing_are_the_last(corpus, lows, patience, generations):
    for generation, low in enumerate(lows, 1):
        grown = recipe(samples=SIZE, generations=generation, patience=patience)
        corpus.grow(grown)
        corpus.append(Measurement(COMPANIONS, {"generation": generation}, worth(low)))
    corpus.grow(recipe(samples=SIZE, generations=3, patience=patience))

    assert len(corpus.ends) == generations
    corpus.grow(recipe(samples=SIZE, generations=3, patience=patience, anchor=False))
    assert len(corpus.ends) == 3
    assert corpus.sound()


def told(corpus):
    """The log without writers, measured times, and names of seed files, which are drawn by lot."""
    return [
        replace(body, engine_seconds=0.0, goodput={}, slot_seconds={}, spent_tokens={})
        if isinstance(body, BatchCommitted)
        else body
        for body in corpus.log()
        if not isinstance(body, WriterOpened | SeedAdded)
        and getattr(body, "name", "") != ENGINE_TIME
    ]


@pytest.mark.parametrize("stop", [{}, {"move_budget": True}, {"target": TargetSpec(accepted=420)}])
def test_resumed_runs_write_the_entries_of_an_uninterrupted_one(tmp_path, stop):
    rates = {"duplicate_rate": 0.05, "rejection_rate": 0.1}
    grown = recipe(
        samples=9 * SIZE, generations=2, strata=3, simulated=replace(COLLAPSING, **rates), **stop
    )
    whole, halting = Corpus(tmp_path).grow(grown), Corpus(tmp_path)
    for batches in (1, 4, 1, None):
        halting.grow(grown, batches)

    assert told(halting) == told(whole)
    assert any(isinstance(body, Decision) for body in told(whole))
    assert whole.sound()
    assert halting.sound()


def test_batches_that_a_larger_window_opened_are_not_decided_on(corpus):
    wide = replace(UNITS, ahead=5)
    collapsing = replace(COLLAPSING, collapse_from=2 * SIZE)
    corpus.grow(recipe(strata=2, simulated=collapsing, units=wide, alarms=False), batches=3)
    corpus.grow(recipe(strata=2, simulated=collapsing, units=replace(UNITS, ahead=1)))

    # Batch 8 was opened when the third one landed, by a run that looked five ahead.
    assert corpus.log(Decision)[0].batch == 9
    assert corpus.sound()


def test_sample_rate_that_falls_leaves_forecasts_that_hold(tmp_path):
    covered = scored = 0
    for words in (17, 18, 21, 22):  # Forecasts of one corpus share its sample: one is too few.
        corpus, longer = Corpus(tmp_path), replace(ENDLESS, words=words)
        grown = recipe(strata=2, simulated=longer, target=TargetSpec(unique=20_000))
        corpus.grow(replace(grown, ledger=LedgerSpec(companions=0, fingerprints=3000)))
        document = to_json(read_ledger(corpus.store))
        covered += document["forecast"]["covered"]
        scored += document["forecast"]["scored"]

        assert "sketch_rate" in {d.action for d in corpus.log(Decision)}
        assert document["sketch_rate"] < 1
        assert corpus.ends == [(1, "target")]
        assert corpus.sound()
    assert covered >= 0.9 * scored > 60
