"""The line in one process: no Ray anywhere, the same corpus whatever the crew, errors as on Ray."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import pytest

from seedcorn.config import load_recipe
from seedcorn.core.engine import Engine
from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import LoadedRecipe
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.grow import Grown, grow
from seedcorn.runtime.driver.ports import Lost
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.hosting import open_cluster
from seedcorn.runtime.job import GenerationJob
from seedcorn.runtime.local.calls import settled
from seedcorn.runtime.local.cluster import LocalCluster
from seedcorn.runtime.local.worker import LocalWorker
from seedcorn.runtime.worker.setup import make_engine
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.runtime.conftest import account, ignore

SIMULATED = str(Path(__file__).parents[3] / "pipelines" / "simulated.yaml")
QUICK = (
    *("samples=120", "units.unit=8", "units.batch=4", "engine.simulated.concurrency=8"),
    *("ledger.companions=20", "run.ray_address=none"),
)


def loaded(corpus: Path, *overrides: str) -> LoadedRecipe:
    return load_recipe(SIMULATED, [f"corpus={corpus}", *QUICK, *overrides])


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> LocalStore:
    """What one worker grows undisturbed."""
    corpus = tmp_path_factory.mktemp("alone") / "corpus"
    assert grow(loaded(corpus), ignore, open_cluster).complete
    store = LocalStore(corpus)
    assert verify(store, recipe_from_dict).ok
    return store


def test_grow_without_ray_imports_none_of_it_and_completes_the_corpus(tmp_path: Path) -> None:
    words = ["grow", SIMULATED, f"corpus={tmp_path / 'corpus'}", *QUICK]
    program = (
        "import sys\n"
        "from seedcorn.cli import main\n"
        f"print('ended', main({words!r}), 'ray' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.stdout.endswith("ended 0 False\n"), done.stderr
    assert "is complete now: 2 of 2 generations" in done.stdout


@pytest.mark.parametrize("crew", [("engine.workers=3",), ("engine.workers=auto", "dedup.actors=2")])
def test_any_crew_and_any_parts_of_the_index_give_the_same_corpus_and_ledger(
    crew: Sequence[str], alone: LocalStore, tmp_path: Path
) -> None:
    assert grow(loaded(tmp_path / "corpus", *crew), ignore, open_cluster).complete
    store = LocalStore(tmp_path / "corpus")
    assert corpus_digest(store) == corpus_digest(alone)
    assert account(store) == account(alone)


def test_interrupted_run_drains_and_the_next_one_finishes_the_same_corpus(
    alone: LocalStore, tmp_path: Path
) -> None:
    slow, told = loaded(tmp_path / "corpus", "engine.simulated.latency_s=0.6"), list[int]()

    def interrupt(look: Snapshot) -> None:
        if look.in_flight and not told:
            told.append(look.generated)
            os.kill(os.getpid(), signal.SIGTERM)

    stopped = grow(slow, interrupt, open_cluster)
    assert (stopped.complete, stopped.generations) == (False, 0)
    assert grow(loaded(tmp_path / "corpus"), ignore, open_cluster).complete
    assert corpus_digest(LocalStore(tmp_path / "corpus")) == corpus_digest(alone)


class Failing:
    """Workers of which the first so many cannot open what they need."""

    def __init__(self, count: int) -> None:
        self.left = count

    def make(self, job: GenerationJob) -> Engine:
        self.left -= 1
        if self.left >= 0:
            raise OSError(28, "No space left on device")
        return make_engine(job)

    def grow(self, recipe: LoadedRecipe) -> Grown:
        cluster = LocalCluster(lambda slot, spent: LocalWorker(slot, spent, self.make))
        return grow(recipe, ignore, lambda run, engine: nullcontext(cluster))


def test_worker_that_fails_is_replaced_and_costs_nothing(alone: LocalStore, tmp_path: Path) -> None:
    failing = Failing(1)
    assert failing.grow(loaded(tmp_path / "corpus")).complete
    assert failing.left < 0
    assert corpus_digest(LocalStore(tmp_path / "corpus")) == corpus_digest(alone)
    state: CorpusState = read_state(LocalStore(tmp_path / "corpus"))
    assert state.unfinished is None


async def _raising(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    ("raised", "comes_out"),
    [
        (EngineUnavailable("no model"), EngineUnavailable),
        (ExceptionGroup("two", [EngineUnavailable("no model"), OSError()]), EngineUnavailable),
        (ExceptionGroup("two", [OSError("disk full"), EngineUnavailable("no")]), Lost),
        (OSError("disk full"), Lost),
        (KeyError("a bug"), KeyError),
    ],
)
def test_named_errors_are_themselves_others_the_loss_of_a_worker_and_bugs_bugs(
    raised: BaseException, comes_out: type[BaseException]
) -> None:
    with pytest.raises(comes_out):
        asyncio.run(settled(_raising(raised), "engine worker"))
