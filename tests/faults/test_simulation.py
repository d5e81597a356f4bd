"""The simulated protocol: short campaign, determinism of a schedule, and that faults do happen."""

import logging
from collections.abc import Iterator

import pytest

from tests.faults.simulation.campaign import main, run_many
from tests.faults.simulation.schedule import run_schedule


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_schedules_of_drivers_that_die_and_stores_that_fail_break_no_promise() -> None:
    tally = run_many(range(150))
    assert not tally.caught, [(o.seed, o.violations) for o in tally.wrong]
    assert tally.faults > 1000
    assert {"complete", "drained", "killed", "Fenced", "CorpusBusy"} <= tally.ends.keys()
    rare = ("decision entries", "checkpoints restored", "samples staged with several texts")
    assert all(tally.met[name] > 1 for name in rare), tally.met
    killed = ("drivers killed", "workers killed", "keepers killed")
    assert all(tally.met[name] > 10 for name in killed), tally.met


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
