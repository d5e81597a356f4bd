"""The simulated protocol: short campaign, determinism of a schedule, and that faults do happen."""

import logging

import pytest

from tests.faults.simulation.campaign import main, run_many
from tests.faults.simulation.schedule import run_schedule


@pytest.fixture(autouse=True)
def _quiet() -> object:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_schedules_of_drivers_that_die_and_stores_that_fail_break_no_promise() -> None:
    tally = run_many(range(150))
    assert not tally.caught, [(o.seed, o.violations) for o in tally.wrong]
    assert tally.faults > 1000
    assert {"complete", "killed", "Fenced", "CorpusBusy"} <= tally.ends.keys()


def test_schedule_of_a_seed_runs_the_same_way_every_time() -> None:
    seeds = (5, 17, 24)
    first = [run_schedule(seed, keep=None).trace for seed in seeds]
    assert first == [run_schedule(seed, keep=None).trace for seed in seeds]
    assert len({tuple(trace) for trace in first}) == len(seeds)


def test_trace_of_a_seed_shows_its_operations_and_verdict(capsys) -> None:
    assert main(["--seed", "5", "--trace"]) == 0
    shown = capsys.readouterr().out
    assert "create log/0000000000.json" in shown
    assert "seed 5: no promise is broken" in shown
