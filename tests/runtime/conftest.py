"""One Ray cluster for all runtime tests, and recipes small enough to run through it."""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from seedcorn.config import LoadedRecipe, load_recipe
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.recipe import Recipe, StoreSpec
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.servers.seaweedfs import SeaweedServer

SIMULATED = str(Path(__file__).parents[2] / "pipelines" / "simulated.yaml")
CUT = (
    *("samples=600", "units.unit=32", "units.batch=4", "engine.simulated.concurrency=32"),
    *("run.heartbeat_s=0.2", "run.lease_s=2"),
)
WITHOUT_RAY = "run.ray_address=none"
Loader = Callable[..., LoadedRecipe]


@pytest.fixture(scope="session")
def ray_cluster(seaweedfs_server: SeaweedServer) -> Iterator[str]:
    """Its address. Started after the object store, so that workers inherit its credentials."""
    context = ray.init(
        address="local",
        num_cpus=8,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=256 << 20,
        # A rate needs two exports of a metric, and Ray makes one in ten seconds: runs are shorter.
        _system_config={"worker_niceness": 0, "metrics_report_interval_ms": 2000},
    )
    yield context.address_info["gcs_address"]
    ray.shutdown()


def loader(corpus: Path, *always: str) -> Loader:
    """Loads `simulated.yaml`, smaller, onto this corpus, with overrides."""
    return lambda *overrides: load_recipe(
        SIMULATED, [f"corpus={corpus}", *CUT, *always, *overrides]
    )


@pytest.fixture
def simulated(ray_cluster: str, tmp_path: Path) -> Loader:
    """Of runs on the session's Ray cluster; the corpus is fresh."""
    return loader(tmp_path / "corpus")


@pytest.fixture
def without_ray(tmp_path: Path) -> Loader:
    """Of runs in this process: what is not about Ray need not wait for its actors."""
    return loader(tmp_path / "corpus", WITHOUT_RAY)


def account(store: Store) -> str:
    """The ledger without measured times, as text to compare."""
    return json.dumps(table_of(store), sort_keys=True)


def uncut(account_of: str) -> str:
    """The account without what follows how a plan is cut into batches, not what it holds."""
    table = json.loads(account_of)
    table.pop("forecast")
    for generation in table["generations"]:
        for key in ("curve", "forecasts", "alarms", "decisions", "policy_changes"):
            generation.pop(key)
    for stratum in table["strata"]:
        stratum.pop("next")
        stratum.pop("next_tokens")
        stratum.pop("form")
    return json.dumps(table, sort_keys=True)


def table_of(store: Store) -> dict[str, Any]:
    """The ledger document without measured times."""
    table = to_json(read_ledger(store))
    table.pop("measured")
    return table


@pytest.fixture(scope="session")
def undisturbed(
    ray_cluster: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str, Recipe]:
    """Digest, ledger and recipe of a two-generation run that nothing disturbed."""
    corpus = tmp_path_factory.mktemp("undisturbed") / "corpus"
    loaded = load_recipe(SIMULATED, [f"corpus={corpus}", *CUT])
    assert grow(loaded, ignore, open_cluster).complete
    store = open_store(str(corpus), StoreSpec())
    assert verify(store, recipe_from_dict).ok
    return corpus_digest(store), account(store), loaded.recipe


def ignore(snapshot: Snapshot) -> None:
    """A view that shows nothing."""


@contextlib.contextmanager
def environment(**values: str) -> Iterator[None]:
    """Variables for a `with` body only."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield
