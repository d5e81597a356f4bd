"""Engine time in the ledger of real runs: it adds up to what the workers were alive for."""

import os
import signal
import time

import pytest

from seedcorn.core.ledger.accounts import FINISHED
from seedcorn.core.log.entries import BatchCommitted, Measurement
from seedcorn.core.log.state import ENGINE_TIME
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.core.scheduling.goodput import BUSY, IDLE, OF_ENGINES, PENDING, STARTING
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.verify.verification import verify
from tests.runtime.conftest import Loader, ignore
from tests.runtime.processes import actors, kill

pytestmark = pytest.mark.timeout(240)
SLOW = ("engine.simulated.latency_s=0.4", "generations=1", "run.stage_interval_s=0.5")


def engines(store) -> dict[str, float]:
    """What the log says that engines did, batch by batch and at the end."""
    told = dict.fromkeys(OF_ENGINES, 0.0)
    for entry in read_log(store):
        body = entry.body
        values = body.goodput if isinstance(body, BatchCommitted) else {}
        if isinstance(body, Measurement) and body.name == ENGINE_TIME:
            values = body.values
        for name in told:
            told[name] += values.get(name, 0.0)
    return told


@pytest.mark.ray
def test_parts_add_up_to_the_time_that_the_workers_were_alive(simulated: Loader) -> None:
    loaded = simulated(*SLOW, "engine.workers=2")
    began = time.monotonic()
    (row,) = grow(loaded, ignore, open_cluster).rows
    wall = time.monotonic() - began

    store = open_store(loaded.recipe.corpus, loaded.recipe.store)
    (folded,) = read_ledger(store).rows()
    told, spent = engines(store), folded.engine_time
    assert row.engine_time == pytest.approx(spent)
    assert sum(spent.values()) == pytest.approx(sum(told.values()))
    assert spent[PENDING] == 0
    assert 0 < sum(told.values()) <= 2 * wall
    # 600 samples of .4 s, 64 and a tenth more of them at once: the workers know no more than this.
    assert told[BUSY] > 600 * 0.4 / (2 * 36)
    assert spent["useful"] > max(spent[part] for part in ("duplicate", "rejected", "failed")) > 0
    assert folded.engine_hours * 3600 == pytest.approx(
        sum(spent[part] for part in spent if part not in (STARTING, IDLE)), rel=0.2
    )
    assert verify(store, recipe_from_dict).ok


@pytest.mark.ray
def test_work_that_died_with_its_engine_is_regenerated_time(simulated: Loader) -> None:
    loaded, killed = simulated(*SLOW, "samples=200", "engine.simulated.latency_s=1.5"), list[int]()

    def watch(look: Snapshot) -> None:
        if look.in_flight and look.generated and not killed:
            killed.extend(actors("EngineActor"))
            for pid in killed:
                kill(pid)

    (row,) = grow(loaded, watch, open_cluster).rows

    assert killed
    assert row.status == FINISHED
    assert row.engine_time["regenerated"] > 0.3
    assert row.engine_time[STARTING] > 0
    store = open_store(loaded.recipe.corpus, loaded.recipe.store)
    assert sum(row.engine_time.values()) == pytest.approx(sum(engines(store).values()))


def test_drained_run_leaves_its_engine_time_in_the_log_and_the_next_one_adds_to_it(
    without_ray: Loader,
) -> None:
    loaded = without_ray(*SLOW, "samples=200", "engine.simulated.latency_s=1.5")
    told: list[float] = []

    def interrupt(look: Snapshot) -> None:
        if look.generated and not told:
            told.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGTERM)

    assert not grow(loaded, interrupt, open_cluster).complete
    store = open_store(loaded.recipe.corpus, loaded.recipe.store)
    first = engines(store)
    (row,) = read_ledger(store).rows()
    assert first[BUSY] > 1
    assert row.engine_time[PENDING] > 0
    assert sum(row.engine_time.values()) == pytest.approx(sum(first.values()))

    (row,) = grow(loaded, ignore, open_cluster).rows
    whole = engines(store)
    assert all(whole[name] >= first[name] for name in first)
    assert row.engine_time[PENDING] == 0
    assert sum(row.engine_time.values()) == pytest.approx(sum(whole.values()))
    assert verify(store, recipe_from_dict).ok
