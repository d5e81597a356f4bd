"""What engines were paid for, by stratum, and what the next hour of them would bring."""

from dataclasses import replace

import pytest

from seedcorn.core.forecast.prospects import ALL
from seedcorn.core.intervals import Interval
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.ledger.prices import (
    next_hour,
    paid_hours,
    per_hour,
    seconds_per_sample,
    strata_times,
)
from seedcorn.core.log.entries import BatchCommitted, Decision, Measurement
from seedcorn.core.log.state import ENGINE_TIME, MOVE_BUDGET
from seedcorn.core.recipe import EngineSpec, VllmSpec
from seedcorn.core.scheduling.goodput import BUSY, IDLE, STARTING, devices_of
from tests.core.ledger.folded import SIZE, Folded, fresh, recipe

TIMES = {STARTING: 300.0, BUSY: 500.0, IDLE: 100.0}
SLOTS = {"a": 100.0, "b": 1000.0}


class Timed(Folded):
    """Every batch says what its engines did, and for how long its samples were in flight."""

    def append(self, body, delta=None):
        if isinstance(body, BatchCommitted):
            spent = {"useful": 500.0} | TIMES
            body = replace(body, engine_seconds=500.0, goodput=spent, slot_seconds=SLOTS)
        return super().append(body, delta)

    @property
    def account(self):
        return self.ledger.accounts[-1]


def grown(batches=2, **changes):
    timed = Timed(replace(recipe(), **changes)).start()
    for number in range(batches):
        timed.batch(fresh(number))
    return timed


def test_every_second_that_an_engine_was_held_is_paid_for():
    timed = grown()
    assert paid_hours(timed.account) == pytest.approx(2 * 900 / 3600)
    timed.append(Measurement(ENGINE_TIME, {"generation": 1}, {IDLE: 1800.0}))
    assert paid_hours(timed.account) == pytest.approx(1.0)


def test_hours_of_an_engine_on_several_devices_count_for_each():
    engine = EngineSpec(gpus_per_worker=1, vllm=VllmSpec(tensor_parallel=4))
    assert paid_hours(grown(engine=engine).account) == pytest.approx(4 * 2 * 900 / 3600)


@pytest.mark.parametrize(
    ("engine", "devices"),
    [
        ({}, 1),
        ({"kind": "vllm", "gpus_per_worker": 0.0}, 1),
        ({"kind": "vllm", "gpus_per_worker": 0.5}, 0.5),
        ({"kind": "vllm", "gpus_per_worker": 1.0, "vllm": {"tensor_parallel": 8}}, 8),
        (
            {
                "kind": "vllm",
                "gpus_per_worker": 2,
                "vllm": {"tensor_parallel": 2, "pipeline_parallel": 3},
            },
            12,
        ),
        ({"kind": "openai", "gpus_per_worker": 4, "vllm": {"tensor_parallel": 8}}, 1),
        ({"kind": "simulated"}, 1),
    ],
)
def test_engine_occupies_its_gpus_or_one_slot(engine, devices):
    assert devices_of(engine) == devices


def test_hours_are_unknown_where_a_batch_does_not_say_what_its_engines_did():
    folded = Folded(recipe()).start().batch(fresh(0), seconds=60.0)
    (account,) = folded.ledger.accounts
    assert paid_hours(account) is None
    assert strata_times(account, {}) == {}
    assert to_json(folded.ledger)["measured"][0]["paid_hours"] is None


def test_hours_are_split_by_time_in_flight_whatever_the_tokens():
    found = strata_times(grown().account, {"a": Interval(50, 40, 60), "b": Interval(50, 40, 60)})
    assert [found[name]["seconds"] for name in ("a", "b")] == [200.0, 2000.0]
    assert sum(one["paid_hours"] or 0 for one in found.values()) == pytest.approx(0.5)
    prices = {name: one["unique_tokens_per_paid_hour"] for name, one in found.items()}
    assert prices["a"] == pytest.approx(50 / (0.5 / 11))
    assert prices["a"] == pytest.approx(10 * (prices["b"] or 0))


def test_price_without_tokens_or_hours_is_unknown():
    assert per_hour(None, 1.0) is None
    assert per_hour(Interval(5, 4, 6), None) is None
    assert strata_times(grown().account, {})["a"]["unique_tokens_per_paid_hour"] is None


def test_sample_takes_what_was_paid_for_its_stratum():
    """Sixteen samples in 1800 s; half of them are of each stratum, and have the same tokens."""
    account = grown().account
    assert seconds_per_sample(account) == pytest.approx(1800 / 16)
    assert seconds_per_sample(account, "a") == pytest.approx(1800 / 11 / 8)
    assert seconds_per_sample(account, "b") == pytest.approx(1800 * 10 / 11 / 8)


def test_sample_of_a_moved_budget_takes_what_its_strata_do():
    timed = grown()
    value = {"stratum": "b", "weights": {"a": 1.0, "b": 0.0}, "to": "a"}
    timed.append(Decision(1, 5, MOVE_BUDGET, value, "why"))
    assert seconds_per_sample(timed.account) == seconds_per_sample(timed.account, "a")


def test_sample_takes_its_stratums_share_of_the_tokens_where_no_slot_was_measured():
    folded = Folded(recipe()).start()
    for number in range(2):
        folded.batch(fresh(number, strata=(0, 0, 0, 1)), seconds=60.0)
    (account,) = folded.ledger.accounts
    assert seconds_per_sample(account, "a") == seconds_per_sample(account, "b") == 120 / 16
    assert seconds_per_sample(account, "never drawn") == 120 / 16
    assert seconds_per_sample(Folded(recipe()).start().ledger.accounts[0]) is None


def test_next_hour_is_the_forecast_of_as_many_samples_as_it_holds():
    """A batch of eight takes 900 s, so an hour holds 32 samples: more than there are, and no more
    than the next batch scaled up."""
    timed = grown(batches=3)
    ledger = timed.ledger
    found, tokens = next_hour(timed.account, ledger.prospects, ledger.history, ledger.scores)
    expected, batch = (ledger.prospects.forecast(ALL, samples) for samples in (32, SIZE))
    assert tokens is None
    assert found == (expected.estimate, expected.low, expected.high)
    assert ledger.rows()[0].next_hour == found
    assert found.estimate <= 4 * batch.estimate


def test_generation_that_was_followed_by_another_has_no_next_hour():
    timed = grown().finish("stop_rule").start()
    timed.batch(fresh(5))
    assert [row.next_hour is None for row in timed.ledger.rows()] == [True, False]


def test_tokens_of_work_for_nothing_are_told_once_the_generation_is_finished():
    timed = grown()
    body = Measurement(ENGINE_TIME, {"generation": 1}, {BUSY: 1.0}, spent_tokens={"generated": 175})
    timed.append(body)
    assert timed.account.tokens["generated"] == 160
    assert timed.account.regenerated_tokens == 0
    timed.finish("stop_rule")
    assert timed.account.regenerated_tokens == 15
    assert to_json(timed.ledger)["measured"][0]["regenerated_tokens"] == 15
