"""Sixty samples with the default units count as they finish, and a drain says what it waits for."""

import json
import os
import signal
import threading
import time

import pytest

from seedcorn.config import load_recipe
from seedcorn.core.recipe import StoreSpec
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.local.cluster import local_cluster
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.stores.opening import open_store
from tests.cases.running import seedcorn, write_recipe
from tests.servers.endpoint import serving

SAMPLES = 60


@pytest.fixture
def slow():
    """An endpoint that takes its time over every answer."""
    with serving(answer_s=0.4) as endpoint:
        yield endpoint


def sixty(folder, endpoint, **changes):
    """Sixty samples and no units, as a first user writes it; eight at a time."""
    openai = {"base_url": f"{endpoint.url}/v1", "max_concurrency": 8}
    engine = {"kind": "openai", "model": "writer", "sampling": {"max_tokens": 64}, "openai": openai}
    return write_recipe(folder, samples=SAMPLES, engine=engine, units={}, **changes)


def test_samples_and_tokens_are_counted_while_the_first_unit_is_still_open(slow, tmp_path):
    looks: list[Snapshot] = []
    loaded = load_recipe(str(sixty(tmp_path, slow)))
    assert grow(loaded, looks.append, local_cluster).complete
    counted = [look.generated for look in looks]
    assert counted == sorted(counted)
    between = [one for one in counted if 0 < one < SAMPLES]
    assert len(set(between)) >= 2, counted
    assert any(look.tokens_per_s > 0 for look in looks)
    assert counted[-1] == SAMPLES


def test_units_follow_the_samples_and_stand_resolved_in_the_log(slow, tmp_path):
    slow.answer_s = 0.0
    recipe = sixty(tmp_path, slow)
    assert seedcorn("grow", recipe) == 0
    (generation,) = read_state(open_store(str(tmp_path / "corpus"), StoreSpec())).standing.values()
    assert generation.recipe["units"] == {"unit": 4, "batch": 16, "ahead": 2}
    assert generation.units == 15


def test_generation_goes_on_as_it_was_cut_whatever_the_defaults_make_of_it(slow, tmp_path):
    slow.answer_s = 0.0
    recipe = sixty(tmp_path, slow)
    staged = {"units.unit": 5, "units.batch": 2}
    words = [f"{key}={value}" for key, value in staged.items()]
    slow.key = "closed"
    assert seedcorn("grow", recipe, *words) != 0
    slow.key = ""
    assert seedcorn("grow", recipe) == 0
    (generation,) = read_state(open_store(str(tmp_path / "corpus"), StoreSpec())).standing.values()
    assert (generation.recipe["units"]["unit"], generation.batches) == (5, 6)


def test_workers_do_not_move_the_cut(tmp_path):
    path = write_recipe(tmp_path, samples=SAMPLES, units={})
    cuts = {load_recipe(str(path), [f"engine.workers={n}"]).recipe.units for n in (1, 4, 64)}
    assert len(cuts) == 1


def test_units_hold_whole_groups(tmp_path):
    path = write_recipe(tmp_path, samples=SAMPLES, units={}, samples_per_prompt=6)
    assert load_recipe(str(path)).recipe.units.unit == 6


def test_progress_lines_for_programs_count_finished_samples(slow, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SEEDCORN_LOG", "json")
    monkeypatch.setattr("seedcorn.commands.views.live.LINE_EVERY_S", 0.5)
    assert seedcorn("grow", sixty(tmp_path, slow)) == 0
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    counts = [line["generated"] for line in lines if "generated" in line]
    assert any(0 < one < SAMPLES for one in counts), counts


def test_ctrl_c_waits_for_what_is_in_flight_alone_and_says_so(slow, tmp_path, capsys):
    slow.answer_s = 1.0
    recipe = sixty(tmp_path, slow)
    began = []

    def interrupt():
        while slow.answers < 8:
            time.sleep(0.05)
        began.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert seedcorn("grow", recipe) == 130
    thread.join()
    assert time.monotonic() - began[0] < 10
    told = capsys.readouterr()
    assert "draining: finishing" in told.err
    assert "in flight" in told.err
    assert slow.answers < SAMPLES
    slow.answer_s = 0.0
    before = slow.answers
    assert seedcorn("grow", recipe) == 0
    assert slow.answers - before <= SAMPLES - before + 1
