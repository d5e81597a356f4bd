"""The stop rule through real drivers: decisions stand before the batches they are about."""

from pathlib import Path

import pytest

from seedcorn.core.log.entries import BatchCommitted, Decision, GenerationFinished, Measurement
from seedcorn.core.log.state import COMPANIONS, FORECAST
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.log.log import read_log
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.corpora.growing import grow_in_process
from tests.runtime.conftest import Loader, account, ignore

pytestmark = pytest.mark.timeout(300)

TEMPLATE = (
    *(f"engine.simulated.{kind}_rate=0" for kind in ("duplicate", "near_duplicate", "seed_copy")),
    *(f"engine.simulated.{kind}_rate=0" for kind in ("rejection", "failure")),
    "engine.simulated.template_rate=1",
    "engine.simulated.template_instances=300",
    "stop.min_per_sample=20",
    "samples=3000",
    "generations=1",
)


def bodies(store: LocalStore) -> list[object]:
    """What the log says, in order."""
    return [entry.body for entry in read_log(store)]


@pytest.mark.ray
def test_saturated_template_stops_at_the_same_batch_for_any_workers_and_without_ray(
    simulated: Loader, tmp_path: Path
) -> None:
    loaded = simulated(*TEMPLATE, "engine.workers=3", "engine.simulated.concurrency=16")
    grown = grow(loaded, ignore, open_cluster)
    store = LocalStore(tmp_path / "corpus")
    alone = tmp_path / "alone"
    grow_in_process(loaded.recipe, str(alone), loaded.base)

    assert grown.complete
    assert "unique tokens" in grown.reason
    said = bodies(store)
    [finished] = [body for body in said if isinstance(body, GenerationFinished)]
    batches = [body for body in said if isinstance(body, BatchCommitted)]
    assert finished.reason == "stop_rule"
    assert len(batches) < 3000 / 128
    assert account(store) == account(LocalStore(alone))
    assert verify(store, recipe_from_dict).ok


def test_every_decision_and_forecast_stands_before_the_batch_it_is_about(
    without_ray: Loader, tmp_path: Path
) -> None:
    grow(without_ray(*TEMPLATE), ignore, open_cluster)

    committed, forecasts = 0, 0
    for body in bodies(LocalStore(tmp_path / "corpus")):
        if isinstance(body, BatchCommitted):
            assert forecasts == committed
            committed += 1
        elif isinstance(body, Measurement) and body.name == FORECAST:
            forecasts += 1
            assert body.subject["batches"] == committed
            assert body.subject["batch"] == min(committed + 2, body.subject["batch"])
        elif isinstance(body, Decision):
            assert body.batch >= committed + 2


def test_target_ends_growth_and_a_higher_one_goes_on(without_ray: Loader, tmp_path: Path) -> None:
    asked = ("generations=5", "samples=1280", "stop.target.unique=100000")
    first = grow(without_ray(*asked), ignore, open_cluster)
    again = grow(without_ray(*asked), ignore, open_cluster)
    further = grow(without_ray(*asked, "stop.target.unique=200000"), ignore, open_cluster)

    said = bodies(LocalStore(tmp_path / "corpus"))
    ended = [body.reason for body in said if isinstance(body, GenerationFinished)]
    measured = [b for b in said if isinstance(b, Measurement) and b.name == COMPANIONS]
    unique = [row.unique_tokens.estimate for row in further.rows if row.unique_tokens]
    assert first.reason.startswith("target reached: ")
    assert "unique tokens of 100,000 wanted" in first.reason
    assert not again.worked
    assert ended[first.generations - 1] == ended[-1] == "target"
    assert first.generations < further.generations
    assert len(measured) == further.generations
    assert 200_000 <= sum(unique) < 200_000 + 3 * 128 * 100


def test_growth_whose_measurement_was_cut_off_makes_up_for_it(
    without_ray: Loader, tmp_path: Path
) -> None:
    grow(without_ray("generations=1", "ledger.companions=0"), ignore, open_cluster)
    store = LocalStore(tmp_path / "corpus")
    before = len(bodies(store))
    grown = grow(without_ray("generations=1", "ledger.companions=50"), ignore, open_cluster)

    added = bodies(store)[before:]
    assert grown.worked
    assert [type(body).__name__ for body in added] == ["WriterOpened", "Measurement"]
    assert added[1].values["documents"] == 50
    assert not grow(without_ray("generations=1"), ignore, open_cluster).worked
