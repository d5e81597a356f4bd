"""`seedcorn night`: one line for schedulers, exit codes, reports that were left out, the webhook."""

import argparse
import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from seedcorn.cli import main
from seedcorn.commands import night
from seedcorn.commands.report.page import plotting_script
from seedcorn.config import load_recipe
from seedcorn.core.night.night import OneNight
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.night import current_night
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.writer import Heartbeat, this_process
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.commands.conftest import write_recipe
from tests.corpora.growing import grow_in_process
from tests.servers.listener import listening

__all__ = ["listening"]
KEY = "nightly.key=2026-11-23"


@pytest.fixture
def grown(tmp_path):
    """(recipe path, store) of a corpus with one night, whose report a crash has left out."""
    path = write_recipe(tmp_path)
    grow(path, KEY)
    return path, LocalStore(tmp_path / "corpus")


def grow(path, *overrides, now=0.0):
    """Grow a night without Ray, without its report."""
    loaded = load_recipe(path, overrides)
    guide = OneNight(loaded.recipe, current_night(loaded.recipe.nightly, now), lambda: now)
    grow_in_process(loaded.recipe, loaded.recipe.corpus, loaded.base, guide=guide)


def started(path, *overrides, hour):
    """`seedcorn night` at an hour of 24 November 2026, UTC; returns the exit code."""
    moment = datetime(2026, 11, 24, hour, tzinfo=UTC).timestamp()
    arguments = argparse.Namespace(recipe=path, overrides=list(overrides), quiet=False)
    return night.run_night(arguments, load_recipe(path, overrides), lambda: moment)


@pytest.mark.parametrize("command", [["night"], ["grow", "nightly.enabled=true"]])
def test_night_whose_report_is_missing_writes_it_and_grows_nothing(grown, capsys, command):
    path, store = grown
    entries = len(list(read_log(store)))
    words = [command[0], path, KEY, *command[1:]]
    assert main(words) == 0
    first = capsys.readouterr().out
    assert main(words) == 0

    assert re.match(r"night 2026-11-23: (Look|Stop): .+\. \+", first)
    assert first.count("\n") == 1
    assert capsys.readouterr().out == (
        f"night 2026-11-23: nothing to do: generation 1 is this night's; corpus {store.uri}\n"
    )
    assert len(list(read_log(store))) == entries
    stored = sorted(info.key for info in store.list("reports/"))
    assert stored == [
        "reports/index.html",
        "reports/latest.html",
        "reports/night-2026-11-23.html",
        "reports/night-2026-11-23.json",
        f"reports/{plotting_script()[0]}",
    ]
    assert verify(store, recipe_from_dict).ok
    assert main(["gc", store.uri]) == 0
    assert sorted(info.key for info in store.list("reports/")) == stored


def test_reports_of_older_nights_that_were_deleted_stay_deleted(grown, capsys):
    path, store = grown
    for day in (24, 25, 26):
        grow(path, f"nightly.key=2026-11-{day}")
    assert main(["night", path, "nightly.key=2026-11-26"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert [line.partition(":")[0] for line in lines] == ["night 2026-11-25", "night 2026-11-26"]
    third = json.loads(store.get("reports/night-2026-11-25.json"))
    assert (third["generation"], third["corpus"]) == (3, store.uri)


def test_all_nights_are_listed_and_the_last_one_has_a_name_that_stays(grown, capsys):
    path, store = grown
    for day in (24, 25, 26):
        grow(path, f"nightly.key=2026-11-{day}")
    assert main(["night", path, "nightly.key=2026-11-26"]) == 0
    index = store.get("reports/index.html").decode()

    listed = re.findall(r"2026-11-\d\d(?=(?:</a>)?</td>)", index)
    assert listed == [f"2026-11-{day}" for day in (26, 25, 24, 23)]
    assert re.findall(r'<td><a href="([^"]+)"', index) == [
        "night-2026-11-26.html",
        "night-2026-11-25.html",
    ]
    assert store.get("reports/latest.html") == store.get("reports/night-2026-11-26.html")
    capsys.readouterr()


def test_older_report_that_is_written_again_does_not_become_the_last(grown, capsys):
    path, store = grown
    grow(path, "nightly.key=2026-11-24")
    words = ["night", path, "nightly.key=2026-11-24"]
    assert main(words) == 0
    store.delete("reports/night-2026-11-23.json")
    store.delete("reports/index.html")
    assert main(words) == 0
    assert store.get("reports/latest.html") == store.get("reports/night-2026-11-24.html")
    index = store.get("reports/index.html").decode()
    assert "night-2026-11-23.html" in index
    assert "night-2026-11-24.html" in index
    capsys.readouterr()


def test_pages_load_the_script_that_stands_beside_them_once(grown, capsys):
    path, store = grown
    assert main(["night", path, KEY]) == 0
    name, script = plotting_script()
    page = store.get("reports/night-2026-11-23.html")
    assert f'<script src="{name}"></script>'.encode() in page
    assert len(page) < 300_000
    assert page.count(b"Passed every check and repeats nothing.") == 3
    assert store.get(f"reports/{name}") == script
    store.put(f"reports/{name}", b"half")
    grow(path, "nightly.key=2026-11-24")
    assert main(["night", path, "nightly.key=2026-11-24"]) == 0
    assert store.get(f"reports/{name}") == script
    capsys.readouterr()


def test_night_after_its_deadline_says_so_once_and_ends_well(grown, capsys):
    path, store = grown
    assert started(path, KEY, hour=1) == 0
    before = len(list(read_log(store)))
    late = ("nightly.deadline=06:00", "nightly.begins='00:30'")
    assert started(path, *late, hour=7) == 0
    assert started(path, *late, hour=8) == 0
    out = capsys.readouterr().out.splitlines()

    assert out[1].startswith("night 2026-11-24: nothing grown: the deadline of night 2026-11-24")
    assert out[2].startswith("night 2026-11-24: nothing to do: the deadline of night 2026-11-24")
    assert [entry.kind for entry in read_log(store)][before:] == ["writer_opened", "decision"]
    report = json.loads(store.get("reports/night-2026-11-24.json"))
    assert (report["status"], report["reason"]) == ("skipped", "deadline")
    assert b"Nothing was grown: the deadline" in store.get("reports/night-2026-11-24.html")


def test_night_beside_a_living_writer_exits_75_and_tells_nobody(
    grown, capsys, monkeypatch, listening
):
    path, store = grown
    server, url = listening(200)
    monkeypatch.setenv("NIGHT_HOOK", url)
    quick = ["run.heartbeat_s=0.1", "run.lease_s=1", "nightly.webhook_env=NIGHT_HOOK"]
    identity = replace(this_process("f" * 16, store.uri, 0.0), boot="")
    with Heartbeat(store, identity, 0.1):
        assert main(["night", path, "nightly.key=2026-11-30", *quick]) == 75
    assert "is being grown by writer ffffffffffffffff" in capsys.readouterr().err
    assert server.taken == []


def test_webhook_gets_the_summary_of_each_report_once(grown, monkeypatch, listening):
    path, _ = grown
    server, url = listening(200)
    monkeypatch.setenv("NIGHT_HOOK", url)
    for _ in range(2):
        assert main(["night", path, KEY, "nightly.webhook_env=NIGHT_HOOK"]) == 0

    [(_, _, said)] = server.taken
    assert re.match(r"night 2026-11-23: (Look|Stop): ", said["text"])
    assert (said["night"], said["status"], said["generation"]) == ("2026-11-23", "grown", 1)
    assert said["counts"]["accepted"] > 0


def test_webhook_is_told_of_a_night_that_failed(grown, monkeypatch, listening, capsys):
    path, _ = grown
    server, url = listening(200)
    monkeypatch.setenv("NIGHT_HOOK", url)
    words = ["nightly.key=2026-11-24", "nightly.webhook_env=NIGHT_HOOK", "seed.0.path=gone.txt"]
    assert main(["night", path, *words]) == 2
    [(_, _, said)] = server.taken
    assert said["status"] == "failed"
    assert "gone.txt" in said["text"]
    assert "gone.txt" in capsys.readouterr().err


@pytest.mark.parametrize("answer", [None, 500])
def test_webhook_that_is_not_there_changes_nothing(grown, monkeypatch, listening, caplog, answer):
    path, _ = grown
    monkeypatch.delenv("NIGHT_HOOK", raising=False)
    if answer is not None:
        monkeypatch.setenv("NIGHT_HOOK", listening(answer)[1])
    assert main(["night", path, KEY, "nightly.webhook_env=NIGHT_HOOK"]) == 0
    assert "webhook: " in caplog.text


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("nightly.timezone=Mars/Olympus", "nightly.timezone: 'Mars/Olympus' is no time zone"),
        ("nightly.deadline=late", "nightly.deadline: 'late' is no time of day"),
        ("nightly.deadlin=late", "did you mean 'deadline'"),
    ],
)
def test_settings_that_cannot_be_meant_exit_2_before_anything_starts(grown, capsys, override, said):
    assert main(["night", grown[0], override]) == 2
    assert said in capsys.readouterr().err


def test_overrides_read_times_and_keys_as_they_are_typed(tmp_path):
    path = write_recipe(tmp_path)
    words = ["nightly.begins=18:30", "nightly.deadline=06:15", "nightly.key=2026-11-23"]
    recipe = load_recipe(path, words).recipe
    night_ = current_night(recipe.nightly, datetime(2026, 11, 30, 20, tzinfo=UTC).timestamp())
    assert night_.key == "2026-11-23"
    assert night_.begins == datetime(2026, 11, 23, 18, 30, tzinfo=UTC).timestamp()
    assert night_.deadline == datetime(2026, 12, 1, 6, 15, tzinfo=UTC).timestamp()
