"""Ten nights on one corpus, in this process, with the time injected: a seed that grows, a crash, an
overlap, a missed night, a collapsed template, a deadline. Each night's report explains the night."""

import itertools
import json
import os
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from seedcorn.commands.night.report import write_reports
from seedcorn.config import recipe_from_dict
from seedcorn.core.errors import CorpusBusy
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.log.entries import GenerationStarted, SeedAdded
from seedcorn.core.night.night import OneNight, night_key
from seedcorn.core.night.report_text import sentences, summary
from seedcorn.core.recipe import (
    EngineSpec,
    LedgerSpec,
    LoadedRecipe,
    NightlySpec,
    PromptSpec,
    Recipe,
    RunSpec,
    SimulatedSpec,
    SourceSpec,
    StoreSpec,
    UnitsSpec,
)
from seedcorn.runtime.driver.night import current_night, grow_night
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_ledger, read_state
from seedcorn.storage.log.writer import Heartbeat, this_process
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.corpora.growing import grow_in_process

NUMBERS = itertools.count()
BERLIN = ZoneInfo("Europe/Berlin")
SIZE = 64
"""Samples of a batch."""
SAMPLES = 8 * SIZE
NIGHTS = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
"""Evenings of November 2026 on which the ten nights began; on the seventh nobody started one."""
PLAIN = SimulatedSpec(
    words=20, style="sentences", seed_copy_rate=0.05, rejection_rate=0.05, concurrency=16
)
COLLAPSING = replace(PLAIN, collapse_from=3 * SIZE, collapse_stratum="retell", template_instances=2)
RECIPE = Recipe(
    name="nights",
    samples=SAMPLES,
    seed=[SourceSpec(path="docs", name="docs", split="line", grows=True)],
    prompts=[PromptSpec(name=name, template="{{ parent }}") for name in ("retell", "invent")],
    engine=EngineSpec(kind="simulated", simulated=PLAIN),
    checks=[{"refusal": {}}],
    units=UnitsSpec(unit=16, batch=4, ahead=2),
    ledger=LedgerSpec(companions=0),
    run=RunSpec(heartbeat_s=0.1, lease_s=1.0),
    nightly=NightlySpec(timezone="Europe/Berlin", deadline="06:00"),
)


class Clock:
    """Unix seconds from an evening in Berlin on; every look takes a while."""

    def __init__(self, day, hour, minute=0, step=1.0):
        self.now = datetime(2026, 11, day, hour, minute, tzinfo=BERLIN).timestamp()
        self.step = step

    def __call__(self):
        self.now += self.step
        return self.now


class Nights:
    """A corpus on a memory store, grown night by night."""

    def __init__(self, folder):
        self.folder, self.uri = folder, f"memory:ten-nights-{next(NUMBERS)}"
        self.lines = {}
        (folder / "docs").mkdir()
        self.add_file("a.txt", 9)

    @property
    def store(self):
        return open_store(self.uri, StoreSpec())

    def add_file(self, name, rows):
        lines = [
            f"Row {n} of {name} tells what happened on day {n * n} there." for n in range(rows)
        ]
        path = self.folder / "docs" / name
        path.write_text("\n".join(lines))
        os.utime(path, (1000, 1000))  # Long settled, whatever night it is.

    def grow(self, clock, batches=None, **changes):
        """One start: grows (for so many batches only: a crash), then writes reports."""
        recipe = replace(RECIPE, **changes)
        guide = OneNight(recipe, current_night(recipe.nightly, clock.now), clock)
        grow_in_process(recipe, self.uri, str(self.folder), batches, guide, clock)
        if batches is not None:
            return []
        rest = guide.rest(read_state(self.store))
        written = write_reports(self.store, StoreSpec(), guide.night, rest)
        self.lines |= {report["night"]: summary(report) for report in written}
        return written

    def report(self, day):
        return json.loads(self.store.get(f"reports/night-2026-11-{day:02d}.json"))

    def said(self, day):
        return " ".join(sentences(self.report(day)))

    @property
    def keys(self):
        """The nights in the log, in order of their generations."""
        return [night_key(one) for one in read_state(self.store).generations.values()]

    def log(self, kind):
        return [entry.body for entry in read_log(self.store) if isinstance(entry.body, kind)]

    def parents(self, generation):
        """Sources whose rows the generation's accepted samples were written from."""
        shards = read_state(self.store).generations[generation].shards
        columns = [
            read_shard(self.store, ref, ["parents"])["parents"].to_pylist() for ref in shards
        ]
        names = {name for column in columns for parents in column for name in parents}
        return {name.partition(":")[0] for name in names if ":" in name}


def live(nights, crash):
    """Ten nights; with a crash in the fourth, or without one."""
    nights.grow(Clock(1, 22))
    nights.grow(Clock(2, 23))
    nights.add_file("0-older-name.txt", 5)
    nights.grow(Clock(4, 1, 30))  # The night of the third, late.
    nights.grow(Clock(4, 22), batches=3 if crash else None)
    nights.add_file("c.txt", 7)
    nights.grow(Clock(5, 22))
    for path in (nights.folder / "docs").iterdir():
        path.unlink()  # The inbox is cleared.
    nights.grow(Clock(6, 22))
    nights.grow(Clock(8, 22), engine=EngineSpec(kind="simulated", simulated=COLLAPSING))
    nights.grow(Clock(9, 22))
    nights.grow(Clock(11, 5, 50, step=70.0))  # The night of the tenth, ten minutes before its end.
    nights.grow(Clock(11, 22))


@pytest.fixture(scope="module")
def nights(tmp_path_factory):
    """The ten nights, for tests that only look."""
    grown = Nights(tmp_path_factory.mktemp("nights"))
    live(grown, crash=True)
    return grown


def test_ten_nights_are_ten_generations_ten_reports_and_a_sound_corpus(nights):
    assert nights.keys == [f"2026-11-{day:02d}" for day in NIGHTS]
    stored = sorted(info.key for info in nights.store.list("reports/"))
    assert [key for key in stored if key.startswith("reports/night-")] == sorted(
        f"reports/night-2026-11-{day:02d}.{ending}" for day in NIGHTS for ending in ("html", "json")
    )
    report = verify(nights.store, recipe_from_dict)
    assert report.broken is None, report.broken
    assert report.warnings == []
    rows = to_json(read_ledger(nights.store))["generations"]
    assert [row["status"] for row in rows] == ["finished"] * 10
    assert [nights.report(day)["generation"] for day in NIGHTS] == list(range(1, 11))
    for day, row in zip(NIGHTS, rows, strict=True):
        assert nights.report(day)["unique"] == row["unique"]["8"]
        assert nights.report(day)["counts"] == row["counts"]


def test_first_night_says_what_it_cannot_know_yet(nights):
    said, report = nights.said(1), nights.report(1)

    assert "100 % of the" in said
    assert "The seed is 9 rows of docs." in said
    assert "There are too few earlier nights to say what is usual." in said
    assert "512 samples would add" in said
    assert "if it went like this one; there are too few nights for a trend" in said
    assert report["next"]["basis"] == "continuation"
    came = nights.report(2)["unique_tokens"]["estimate"]
    assert report["next"]["low"] <= came <= report["next"]["high"]


def test_crash_is_finished_by_the_next_start_and_both_nights_say_so(nights, tmp_path):
    fourth, fifth = nights.report(4), nights.report(5)

    assert [one["batch"] for one in fourth["measured"]["writings"]] == [0, 3]
    assert "From batch 3 on, another driver wrote" in nights.said(4)
    assert "another driver" not in nights.said(5)
    assert fourth["counts"]["accepted"] + fourth["counts"]["rejected"] <= fourth["committed"] == 512
    assert fifth["missed"] == []
    undisturbed = Nights(tmp_path)
    live(undisturbed, crash=False)
    assert corpus_digest(nights.store) == corpus_digest(undisturbed.store)
    for day in NIGHTS:
        whole = undisturbed.report(day)
        assert without_time(nights.report(day), day) == without_time(whole, day)


def without_time(report, day):
    """A report without what rests on clocks, and what only a crash leaves."""
    gone = {"measured", "corpus", "taken_over"} | ({"decisions", "detail"} if day == 10 else set())
    return {key: value for key, value in report.items() if key not in gone}


def test_seed_grows_by_increments_that_rank_after_what_was_there(nights):
    added = nights.log(SeedAdded)

    assert [(body.source, body.rows) for body in added] == [
        ("docs", 9),
        ("docs+1", 5),
        ("docs+2", 7),
    ]
    assert added[0].ordinal == 0
    assert 0 < added[1].ordinal < added[2].ordinal
    assert nights.report(3)["seeds"] == [{"role": "seed", "source": "docs+1", "rows": 5}]
    assert "The seed gained 5 rows as docs+1, which are parents from now on." in nights.said(3)
    assert "The seed gained" not in nights.said(4)
    assert "The seed gained 7 rows as docs+2" in nights.said(5)
    assert [nights.parents(g) for g in (2, 3, 4)] == [
        {"docs"},
        {"docs", "docs+1"},
        {"docs", "docs+1"},
    ]
    assert nights.parents(5) == {"docs", "docs+1", "docs+2"}
    prints = [body.seed_fingerprint for body in nights.log(GenerationStarted)]
    assert [len(list(same)) for _, same in itertools.groupby(prints)] == [2, 2, 6]


def test_missed_night_is_named_by_the_one_after_it(nights):
    assert nights.report(8)["missed"] == ["2026-11-07"]
    assert "Night 2026-11-07 was missed: no generation since night 2026-11-06." in nights.said(8)
    assert [nights.report(day)["missed"] for day in NIGHTS if day != 8] == [[]] * 9


def test_collapsed_template_is_an_alarm_a_decision_and_a_fall_that_the_report_names(nights):
    said, report = nights.said(8), nights.report(8)
    retell, invent = ({s["stratum"]: s for s in report["strata"]}[n] for n in ("retell", "invent"))

    assert {alarm["stratum"] for alarm in report["alarms"]} == {"retell"}
    assert [one["action"] for one in report["decisions"]] == ["drop_stratum"]
    assert "Alarm (duplicates) in retell, batch 3: 94% of the verified" in said
    assert "The same in 2 more batches." in said
    assert "drop stratum (retell: " in said
    assert retell["per_sample"]["verdict"] == "fell"
    assert invent["per_sample"]["verdict"] == "usual"
    assert "Stratum retell fell in unique tokens per sample" in said
    assert "Share of duplicates rose" in said
    assert report["expected"]["held"] is False
    assert "the result is outside that interval" in said
    assert ", no alarm" not in nights.lines["2026-11-08"]
    assert ", alarms in retell (openings, duplicates" in nights.lines["2026-11-08"]
    for day in NIGHTS:
        assert (nights.report(day)["alarms"] == []) == (day != 8)


def test_deadline_ends_the_night_after_the_open_batches_and_stands_in_the_log(nights):
    report, said = nights.report(10), nights.said(10)
    [stop] = report["decisions"]

    assert report["reason"] == "budget"
    assert 0 < report["committed"] < SAMPLES
    assert stop["value"]["samples"] == report["committed"]
    assert stop["value"]["why"] == "budget"
    assert stop["value"]["at"] >= stop["value"]["deadline"]
    assert stop["value"]["deadline"] == datetime(2026, 11, 11, 6, tzinfo=BERLIN).timestamp()
    assert "the deadline of night 2026-11-10, 2026-11-11 06:00 Europe/Berlin, has passed" in said
    assert "It ended at its deadline: the deadline" in said
    assert "ended at its deadline" in nights.lines["2026-11-10"]
    assert report["expected"]["samples"] == report["committed"]
    assert report["expected"]["held"]
    assert report["drift"]["unique_per_sample"]["verdict"] == "usual"
    assert report["next"]["samples"] == SAMPLES


def test_each_summary_is_one_line_with_the_same_figures_as_the_report(nights):
    for day in NIGHTS:
        line, report = nights.lines[f"2026-11-{day:02d}"], nights.report(day)
        assert line.startswith(f"night 2026-11-{day:02d}: {report['verdict']['sentence']} +")
        assert "\n" not in line
        assert f"{report['counts']['accepted']:,} of {report['committed']:,} accepted" in line
        page = nights.store.get(f"reports/night-2026-11-{day:02d}.html").decode()
        assert f'<h2 id="night">Night 2026-11-{day:02d}</h2>' in page
        assert f"{report['counts']['accepted']:,} accepted" in page.replace("\u00a0", " ")
        assert 'href="#night"' in page
    assert "next night" in nights.lines["2026-11-11"]


def test_last_report_holds_its_night_against_a_week(nights):
    drift = nights.report(11)["drift"]
    assert {found["nights"] for found in drift.values() if found} == {7}
    assert nights.report(11)["next"]["basis"] == "trend"


def test_second_start_of_a_night_adds_nothing(tmp_path):
    nights = Nights(tmp_path)
    nights.grow(Clock(1, 22))
    again = nights.grow(Clock(2, 3))

    assert again == []
    assert nights.keys == ["2026-11-01"]
    loaded = LoadedRecipe(replace(RECIPE, corpus=nights.uri), str(tmp_path), "nights.yaml")
    outcome = grow_night(loaded, lambda look: None, open_cluster, Clock(2, 4))
    assert not outcome.grown.worked
    assert outcome.rest.text == "generation 1 is this night's"


def test_overlapping_night_is_refused_while_the_other_lives_then_does_its_work(tmp_path):
    nights = Nights(tmp_path)
    nights.grow(Clock(1, 22))
    loaded = LoadedRecipe(replace(RECIPE, corpus=nights.uri), str(tmp_path), "nights.yaml")
    before = len(list(read_log(nights.store)))
    identity = this_process("f" * 16, nights.uri, 0.0)
    with (
        Heartbeat(nights.store, replace(identity, boot=""), 0.1),
        pytest.raises(CorpusBusy, match="being grown by") as refusal,
    ):
        grow_night(loaded, lambda look: None, open_cluster, Clock(2, 22))

    assert refusal.value.exit_code == 75
    assert len(list(read_log(nights.store))) == before
    nights.grow(Clock(2, 23))
    assert nights.keys == ["2026-11-01", "2026-11-02"]


def test_night_that_starts_after_its_deadline_rests_and_is_not_called_missed(tmp_path):
    nights = Nights(tmp_path)
    nights.grow(Clock(1, 22))
    loaded = LoadedRecipe(replace(RECIPE, corpus=nights.uri), str(tmp_path), "nights.yaml")
    for _ in range(2):
        outcome = grow_night(loaded, lambda look: None, open_cluster, Clock(3, 9))
    [idle] = write_reports(nights.store, StoreSpec(), outcome.night, outcome.rest)
    nights.grow(Clock(3, 22))

    assert outcome.night.key == "2026-11-02"
    assert summary(idle).startswith("night 2026-11-02: nothing grown: the deadline of night")
    assert nights.report(3)["missed"] == []
    assert "Night 2026-11-02 grew nothing: the deadline" in nights.said(3)
    assert nights.said(3).count("grew nothing") == 1
    assert verify(nights.store, recipe_from_dict).broken is None
