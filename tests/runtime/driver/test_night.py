"""Nights of real drivers: the deadline's decision; a seed that grows beside a keeper kept by Ray, and
the same corpus as without Ray."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.core.log.entries import Decision, GenerationFinished, SeedAdded
from seedcorn.core.log.state import STOP
from seedcorn.core.night.night import OneNight, night_key
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.night import current_night, grow_night
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.corpora.growing import grow_in_process
from tests.runtime.conftest import Loader, ignore

pytestmark = pytest.mark.timeout(300)


class Clock:
    """22:00 UTC of an evening in November 2026, until `late` is set."""

    def __init__(self, day: int) -> None:
        self.moment = datetime(2026, 11, day, 22, tzinfo=UTC).timestamp()
        self.looks, self.late = 0, 10**9

    def __call__(self) -> float:
        """Nine hours later from the look number `late` on."""
        self.looks += 1
        return self.moment + (9 * 3600 if self.looks > self.late else 0)


def write(folder: Path, name: str, rows: int) -> None:
    """A seed file that changed long ago."""
    folder.mkdir(exist_ok=True)
    lines = [json.dumps({"text": f"document {n} of {name} about something"}) for n in range(rows)]
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    os.utime(folder / name, (1000, 1000))


def bodies(store: LocalStore, kind: type) -> list:
    """What the log says of one kind."""
    return [entry.body for entry in read_log(store) if isinstance(entry.body, kind)]


@pytest.fixture
def over_docs(tmp_path: Path) -> tuple[str, ...]:
    """Overrides: the recipe over a folder that grows."""
    write(tmp_path / "docs", "m.jsonl", 40)
    names = (f"seed.0.path={tmp_path / 'docs'}", "seed.0.grows=true", "seed.0.id=''")
    return (*names, "ledger.companions=0")


@pytest.mark.ray
def test_night_finishes_yesterdays_generation_on_its_own_seed_then_grows_tonights(
    simulated: Loader, over_docs: tuple[str, ...], tmp_path: Path
) -> None:
    store, alone = LocalStore(tmp_path / "corpus"), tmp_path / "alone"
    loaded = simulated(*over_docs)
    for uri, batches in ((loaded.recipe.corpus, 2), (str(alone), None)):
        guide = OneNight(loaded.recipe, current_night(loaded.recipe.nightly, Clock(1)()), Clock(1))
        grow_in_process(loaded.recipe, uri, loaded.base, batches, guide)
    write(tmp_path / "docs", "a.jsonl", 30)
    evening = grow_night(loaded, ignore, open_cluster, Clock(2))
    guide = OneNight(loaded.recipe, current_night(loaded.recipe.nightly, Clock(2)()), Clock(2))
    grow_in_process(loaded.recipe, str(alone), loaded.base, guide=guide, now=Clock(2))

    assert evening.rest is not None
    assert (evening.rest.why, evening.grown.generations) == ("done", 2)
    nights = [night_key(one) for one in read_state(store).generations.values()]
    assert nights == ["2026-11-01", "2026-11-02"]
    added = bodies(store, SeedAdded)
    assert [(body.source, body.rows) for body in added] == [("passages", 40), ("passages+1", 30)]
    assert corpus_digest(store) == corpus_digest(LocalStore(alone))
    assert verify(store, recipe_from_dict).ok
    again = grow_night(loaded, ignore, open_cluster, Clock(2))
    assert not again.grown.worked


def test_nights_go_on_after_their_parquet_inbox_was_emptied(
    without_ray: Loader, tmp_path: Path
) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    texts = [f"Document {n} says what was seen on day {n * n} of the year." for n in range(30)]
    pq.write_table(pa.table({"text": texts}), inbox / "first.parquet")
    os.utime(inbox / "first.parquet", (1000, 1000))
    loaded = without_ray(
        f"seed.0.path={inbox}", "seed.0.grows=true", "seed.0.id=''", "ledger.companions=0"
    )
    grow_night(loaded, ignore, open_cluster, Clock(1))
    (inbox / "first.parquet").unlink()
    evening = grow_night(loaded, ignore, open_cluster, Clock(2))

    store = LocalStore(tmp_path / "corpus")
    assert evening.grown.generations == 2
    assert [(body.source, body.rows) for body in bodies(store, SeedAdded)] == [("passages", 30)]
    found = verify(store, recipe_from_dict, deep=True)
    assert found.ok, found


def test_deadline_ends_the_generation_with_a_decision_in_the_log(
    without_ray: Loader, over_docs: tuple[str, ...], tmp_path: Path
) -> None:
    clock = Clock(1)
    clock.late = 12
    loaded = without_ray(*over_docs, "nightly.deadline=06:00", "samples=6000")
    evening = grow_night(loaded, ignore, open_cluster, clock)
    store = LocalStore(tmp_path / "corpus")

    [stop] = [body for body in bodies(store, Decision) if body.action == STOP]
    [finished] = bodies(store, GenerationFinished)
    assert evening.rest is not None
    assert evening.rest.why == "done"
    assert finished.reason == "budget"
    assert "the deadline of night 2026-11-01" in finished.detail
    assert read_state(store).generations[1].samples == stop.value["samples"] < 6000
    assert verify(store, recipe_from_dict).ok
