"""kill -9 of driver, engine and index at random moments: the corpus and the ledger stay the same."""

import random
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.runtime.conftest import SIMULATED, Loader, account, ignore
from tests.runtime.processes import killing, objects_at_least

pytestmark = [pytest.mark.ray, pytest.mark.timeout(400)]
SLOW = ("engine.simulated.latency_s=0.1", "engine.simulated.concurrency=16", "engine.workers=2")
KILLS = {"EngineActor": 4, "IndexPart": 2, "KeeperActor": 2}


def same(corpus: Path, undisturbed: tuple[str, str, object]) -> None:
    """The corpus is complete, verifies, and equals the undisturbed one."""
    store = LocalStore(corpus)
    report = verify(store, recipe_from_dict)
    assert report.ok, report.broken
    assert corpus_digest(store) == undisturbed[0]
    assert account(store) == undisturbed[1]


def test_grow_with_actors_killed_at_random_moments_ends_as_if_undisturbed(
    simulated: Loader, undisturbed: tuple[str, str, object], tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    with ExitStack() as campaigns:
        killed = {}
        for actor, kills in KILLS.items():
            choose = random.Random(f"kill {actor}")
            objects = sorted(choose.sample(range(8, 45), kills))
            moments = [objects_at_least(corpus, count) for count in objects]
            killed[actor] = campaigns.enter_context(killing(actor, moments, choose))
        assert grow(simulated(*SLOW), ignore, open_cluster).complete
    assert {actor: len(pids) for actor, pids in killed.items()} == KILLS
    same(corpus, undisturbed)


def test_grow_with_its_driver_killed_at_random_moments_resumes_to_the_same_corpus(
    ray_cluster: str, undisturbed: tuple[str, str, object], tmp_path: Path
) -> None:
    choose = random.Random("kill driver")
    corpus = tmp_path / "corpus"
    command = [
        *(sys.executable, "-m", "seedcorn.cli", "grow", SIMULATED, f"corpus={corpus}"),
        *("samples=600", "units.unit=32", "units.batch=4", f"run.ray_address={ray_cluster}"),
        *("run.heartbeat_s=0.2", "run.lease_s=2", *SLOW),
    ]
    kills, objects = 0, 0
    while True:
        objects += choose.randrange(3, 18)
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        reached = objects_at_least(corpus, objects)
        while driver.poll() is None and not (kills < 3 and reached()):
            try:
                driver.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                continue
        if driver.poll() is not None:
            assert driver.returncode == 0, driver.stderr.read() if driver.stderr else ""
            break
        driver.kill()
        driver.communicate()
        kills += 1
    assert kills == 3
    same(corpus, undisturbed)
