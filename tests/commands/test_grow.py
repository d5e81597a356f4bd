"""`seedcorn grow`: what it says before, while and after; growing itself is tested in runtime."""

import argparse
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from rich.console import Console

from seedcorn.cli import main
from seedcorn.commands.arguments import command
from seedcorn.commands.grow import ending
from seedcorn.commands.show.barren import barren
from seedcorn.commands.views.live import LineView, Pace, TableView
from seedcorn.core.recipe import StoreSpec
from seedcorn.runtime.driver.grow import Grown
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store
from tests.commands.conftest import write_recipe
from tests.runtime import metered


def arguments(*overrides):
    return argparse.Namespace(recipe="my recipe.yaml", overrides=list(overrides), quiet=False)


def snapshot(**changes):
    return metered.look(
        **(
            {
                "generation": 2,
                "planned": 48,
                "generated": 0,
                "tokens_per_s": 812.4,
                "in_flight": 9,
                "open_batches": 2,
            }
            | changes
        )
    )


def drawn(look):
    """The live table as text."""
    paper = io.StringIO()
    TableView(Console(file=paper, width=120).print, Clock())(look)
    return paper.getvalue()


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_grow_of_a_complete_corpus_says_so_and_how_to_grow_on(grown, capsys):
    recipe, corpus = grown
    assert main(["grow", recipe, "takeover=true"]) == 0
    text = capsys.readouterr().out
    assert text.endswith(
        f"corpus {corpus} is complete: 2 of 2 generations; grow more with: seedcorn grow {recipe} "
        "generations=3\n"
    )
    assert "uat: unique accepted tokens" in text
    assert "duplicate:exact:same" in text


@pytest.mark.parametrize(
    ("overrides", "code", "named"),
    [
        (["sampels=4"], 2, "sampels"),
        (["corpus="], 2, "corpus"),
        (["units.unit=1", "units.batch=1", "samples=1000"], 2, "units.unit x units.batch"),
        (["engine.kind=vllm", "engine.model=no/such/folder"], 2, "engine"),
        (
            ["engine.kind=vllm", "engine.model=models/no-such"],
            2,
            "there is no folder models/no-such",
        ),
    ],
)
def test_grow_that_cannot_start_is_one_line(tmp_path, overrides, code, named, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert main(["grow", write_recipe(tmp_path), *overrides]) == code
    first, errors = capsys.readouterr().err.splitlines()
    assert first.startswith("reading ")
    assert named in errors
    assert not (tmp_path / "corpus").exists()


def test_ending_of_a_drained_run_tells_how_to_go_on():
    text = ending(Grown("s3://b/c", False, 1, True), arguments("samples=5", "takeover=true"), 3)
    assert "stopped after 1 of 3 generations" in text
    assert text.endswith("continue with: seedcorn grow 'my recipe.yaml' samples=5")
    begun = Grown("s3://b/c", False, 0, True, written=(18, 60))
    said = "stopped after 0 of 1 generation, with 18 of 60 samples of the next written; everything"
    assert said in ending(begun, arguments(), 1)


def test_ending_of_a_finished_run_asks_for_one_generation_more():
    text = ending(Grown("s3://b/c", True, 4, True), arguments("generations=2", "a=b c"), 2)
    assert text.endswith("seedcorn grow 'my recipe.yaml' 'a=b c' generations=5")


def test_ending_of_a_reached_target_says_so_and_an_exhausted_plan_how_to_go_on():
    reached, left = (
        ending(Grown("s3://b/c", True, 2, True, reason=reason), arguments(), 2)
        for reason in (
            "target reached: 9 of 8",
            "exhausted: every sample has been generated; 7 of 8",
        )
    )
    assert reached.endswith("stopped after 2 generations: target reached: 9 of 8")
    assert left.endswith("grow more with: seedcorn grow 'my recipe.yaml' generations=3")


def test_command_is_the_same_command_again():
    assert command(arguments("x=1")) == "seedcorn grow 'my recipe.yaml' x=1"


def test_pace_counts_what_this_run_wrote():
    clock = Clock()
    pace = Pace(clock)
    assert pace.eta_s(snapshot(workers=0, generated=20)) is None
    clock.now += 60  # The engine starts; 20 samples were staged by an earlier run.
    assert pace.eta_s(snapshot(workers=0, generated=20)) is None
    clock.now += 5
    assert pace.eta_s(snapshot(generated=30)) == pytest.approx(18 * 5 / 10)
    assert pace.eta_s(snapshot(generation=3, generated=0)) is None


def test_line_view_writes_at_most_every_ten_seconds():
    clock, lines = Clock(), []
    view = LineView(lambda line, extra: lines.append(line), clock)
    for _ in range(25):
        view(snapshot())
        clock.now += 1.0
    assert len(lines) == 3


def test_figure_view_tells_machines_what_the_line_tells_people(grown):
    rows = tuple(read_ledger(open_store(grown[1], StoreSpec())).rows())
    told = []
    view = LineView(lambda line, extra: told.append((line, extra["figures"])), Clock())
    for _ in range(3):
        view(snapshot(rows=rows, generation=2, generated=40))
    view = LineView(lambda line, extra: told.append((line, extra["figures"])), Clock())
    view(snapshot(generation=2))

    (line, known), (_, unknown) = told
    assert "40 of 48 generated" in line
    assert (known["generated"], known["counts"]) == (40, rows[1].counts)
    assert known["unique"] == rows[1].unique[8].estimate
    assert (unknown["counts"], unknown["unique"]) == ({}, None)
    assert json.loads(json.dumps(known)) == known


def test_views_show_the_ledgers_figures_of_every_generation(grown):
    rows = tuple(read_ledger(open_store(grown[1], StoreSpec())).rows())
    lines = []
    look = snapshot(rows=rows, generated=40, indexing=(5, 20), restarts=2)
    LineView(lambda line, extra: lines.append(line), Clock())(look)
    table = drawn(look)
    for row in rows:
        counts = [str(row.counts[o]) for o in ("accepted", "duplicate", "rejected", "failed")]
        line = next(x.split() for x in table.splitlines() if x.split()[:1] == [str(row.generation)])
        assert line[3:7] == counts
    assert "40 of 48 generated" in lines[0]
    assert f"{rows[1].counts['accepted']} accepted" in lines[0]
    for text in (table, lines[0]):
        assert "812" in text
        assert "indexing 5 of 20 rows" in text
        assert "2 engines replaced" in text


def test_view_before_anything_is_known_draws():
    assert "starting engines" in drawn(snapshot(workers=0))


def test_grow_told_to_logs_json_lines_with_the_ids_of_what_they_are_about(tmp_path):
    recipe = write_recipe(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "seedcorn.cli", "grow", recipe, "run.ray_address=none"],
        env={**os.environ, "SEEDCORN_LOG": "json"},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    committed = [line for line in lines if "committed" in line["message"] and "batch" in line]
    assert committed
    assert all(line["corpus"].endswith(str(tmp_path / "corpus")) for line in committed)
    assert {line["generation"] for line in committed} == {1, 2}
    assert any("tokens_per_s" in line for line in lines), "progress, for machines"


@pytest.mark.ray
def test_grow_interrupted_twice_stops_at_once_without_traceback(tmp_path):
    recipe = write_recipe(tmp_path, samples=2000, units={"unit": 64, "batch": 4})
    words = [sys.executable, "-m", "seedcorn.cli", "grow", recipe, "engine.simulated.latency_s=5"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        seen = []
        for line in process.stderr:
            seen.append(line)
            if "worker 0 ready" in line or "draining" in line:
                process.send_signal(signal.SIGINT)
    assert process.returncode == 130
    assert "Traceback" not in "".join(seen)
    assert f"continue with: seedcorn grow {recipe}" in seen[-1]


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_run_of_which_nothing_is_accepted_says_why_and_what_to_do(tmp_path, quiet, capsys):
    strict = {"checks": [{"length": {"min_words": 5000}}]}
    words = ["grow", write_recipe(tmp_path, **strict), "generations=1", *quiet]
    for _ in range(2):  # The same again where there is nothing left to do.
        assert main(words) == 1
        said = capsys.readouterr().out.splitlines()
        assert said[0] == "nothing was accepted; 48 samples of generation 1: 9 failed, 39 rejected"
        assert said[1].startswith("most often rejected: length (")
        assert "allowed: 5000 to any" in said[1]
        corpus = tmp_path / "corpus"
        assert f"see more of its samples with: seedcorn show {corpus} --outcome rejected" in said
        assert said[-1].endswith("generations=2")
        assert len(said) == 6 or not quiet


def test_barren_is_the_newest_finished_generation_without_one_text(grown):
    row = read_ledger(open_store(grown[1], StoreSpec())).rows()[-1]
    lost = {"accepted": 0, "duplicate": 0, "rejected": row.committed - 1, "failed": 1}
    assert barren([row]) is None
    assert barren([]) is None
    assert barren([replace(row, counts=lost)]) is not None
    assert barren([replace(row, counts=lost, status="running")]) is None
    assert barren([replace(row, counts=lost | {"failed": 0, "duplicate": 1})]) is None
    assert barren([replace(row, counts=lost), replace(row, generation=row.generation + 1)]) is None


def test_changed_recipe_of_a_complete_corpus_is_not_passed_over(grown, capsys):
    recipe, corpus = grown
    assert main(["grow", recipe, "prompts.0.template=Another {{ parent }}", "--quiet"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert f"{corpus} is complete: 2 of 2 generations; the recipe has changed since" in first
    assert 'prompts.0.template: "' in first
    assert '→ "Another {{ parent }}"' in first
    assert second.startswith("grow a generation by the changed recipe with: seedcorn grow ")
    assert second.endswith("generations=3")
