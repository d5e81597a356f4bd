"""Messages between coordinator and workers that come twice, late, or after their successor's.

The coordinator, the writers and the store are the real ones, in this process; a handle misbehaves.
"""

import asyncio
import random
from collections import Counter

import pytest

from seedcorn.config import load_recipe
from seedcorn.core.recipe import StoreSpec
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.local.worker import LocalWorker
from seedcorn.storage.stores.opening import open_store
from tests.faults.processes.corpora import found
from tests.faults.processes.driver import RECIPE, SMALL
from tests.faults.processes.journal import hosting


class ToldTwice(LocalWorker):
    """Every lease arrives twice, at once; the report of one of the two comes back."""

    async def write(self, lease):
        both = await asyncio.gather(super().write(lease), super().write(lease))
        return both[lease.unit % 2]


class ToldAgain(LocalWorker):
    """Every lease arrives once more after it was written, by a worker that knows nothing of that."""

    async def write(self, lease):
        await super().write(lease)
        return await super().write(lease)


class Late(LocalWorker):
    """Reports come back in another order than they were given."""

    async def write(self, lease):
        report = await super().write(lease)
        await asyncio.sleep(random.Random(f"{self._slot}-{lease.unit}").uniform(0, 0.3))
        return report


class AfterSuccessor(LocalWorker):
    """What the first worker writes is told long after another one was given the same units."""

    async def write(self, lease):
        report = await super().write(lease)
        if self._slot == 0:
            await asyncio.sleep(0.8)
        return report


def corpus_of(tmp_path, worker, *overrides):
    corpus = tmp_path / worker.__name__
    loaded = load_recipe(RECIPE, [*SMALL, f"corpus={corpus}", *overrides])
    journal = tmp_path / f"{worker.__name__}.journal"
    assert grow(loaded, lambda look: None, hosting(journal, worker)).complete
    held = found(open_store(str(corpus), StoreSpec()))
    assert (held.broken, held.lost, held.doubled) == ("", 0, 0)
    asked = Counter(line for line in journal.read_text().splitlines() if line.startswith("asked"))
    return held, asked


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    held, asked = corpus_of(tmp_path_factory.mktemp("expected"), LocalWorker)
    assert set(asked.values()) == {1}
    return held


@pytest.mark.parametrize("worker", [ToldTwice, ToldAgain])
def test_lease_that_arrives_twice_is_written_twice_and_counts_once(expected, tmp_path, worker):
    held, asked = corpus_of(tmp_path, worker)
    assert max(asked.values()) == 2
    assert held == expected


def test_reports_in_another_order_give_the_same_corpus(expected, tmp_path):
    held, _ = corpus_of(tmp_path, Late)
    assert held == expected


def test_report_after_its_successors_changes_nothing(expected, tmp_path):
    held, asked = corpus_of(tmp_path, AfterSuccessor, "run.hedge_factor=1", "units.ahead=8")
    assert max(asked.values()) == 2
    assert held == expected
