"""The card says what the ledger says, loads where the hub loads it, and lets no data become markup."""

import json
import re

import pytest
import yaml
from huggingface_hub import DatasetCard

from seedcorn.cli import main
from seedcorn.commands.export.card import MARKER, cell, fenced, ledger_row
from seedcorn.core.export.croissant import CONFORMS_TO
from tests.commands.test_export import SMALL, ledger, manifest, run, shards
from tests.core.export.test_croissant import problems


def table(text, heading):
    """Rows of the first table under a heading, as lists of texts."""
    lines = text[text.index(heading) :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| ---"))
    rows = []
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            break
        rows.append([part.strip() for part in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


@pytest.fixture
def exported(grown, tmp_path):
    run(grown[1], tmp_path / "export", *SMALL, "--license", "cc-by-4.0", "--creator", "Lakes Ltd")
    return grown[1], tmp_path / "export"


def test_numbers_of_the_card_are_the_ledgers(exported, capsys):
    corpus, target = exported
    text = (target / "README.md").read_text()
    summary_lines = ledger(corpus, capsys)
    rows = table(text, "## The ledger")
    assert len(rows) == len(summary_lines["generations"]) == 2
    for row, generation in zip(rows, summary_lines["generations"], strict=True):
        counts = generation["counts"]
        unique = generation["unique_tokens"]
        assert [int(cell) for cell in row[2:11]] == [
            generation["planned"],
            *(counts[key] for key in ("accepted", "duplicate", "rejected", "failed")),
            generation["tokens"]["accepted"],
            *(round(unique[end]) for end in ("estimate", "low", "high")),
        ]
        assert (row[0], row[1], row[11]) == (str(generation["generation"]), "small", "uat")
    assert json.loads((target / "ledger.json").read_text()) == {
        key: value for key, value in summary_lines.items() if key != "corpus"
    }


def test_rows_of_the_card_sum_to_the_manifest(exported):
    _, target = exported
    found = table((target / "README.md").read_text(), "## What is in it")
    assert sum(int(row[2]) for row in found) == manifest(target)["rows"]
    assert f"{manifest(target)['rows']} rows of" in (target / "README.md").read_text()


def test_front_matter_is_the_hubs(exported):
    _, target = exported
    text = (target / "README.md").read_text()
    data = DatasetCard(text).data.to_dict()
    assert data["license"] == "cc-by-4.0"
    assert data["size_categories"] == ["n<1K"]
    assert data["task_categories"] == ["text-generation"]
    (config,) = data["configs"]
    assert config["data_files"] == [{"split": "train", "path": shards(target)}]
    assert text.startswith("---\n")
    assert MARKER in text


def test_card_says_how_it_was_grown_and_hides_where(exported):
    corpus, target = exported
    text = (target / "README.md").read_text()
    recipe = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.S)[1])
    assert recipe["name"] == "small"
    assert recipe["prompts"][0]["template"].startswith("Retell in a {{ axes.tone }} tone")
    assert recipe["engine"]["simulated"]["failure_rate"] == 0.1
    assert "vllm" not in recipe["engine"]
    assert {"corpus", "store", "run"}.isdisjoint(recipe)
    for name in ("README.md", "croissant.json", "ledger.json", "export.json"):
        assert corpus not in (target / name).read_text()
        assert "lakes.txt" not in (target / name).read_text()


def test_models_and_licences_are_told_and_unknown_ones_are_said_to_be(exported, grown, capsys):
    _, target = exported
    (row,) = table((target / "README.md").read_text(), "| model | licence")
    assert row[1] == "not stated"
    assert "The licence of at least one model is not stated" in (target / "README.md").read_text()
    name = row[0].partition("@")[0]
    assert main(["export", grown[1], str(target), "--model-license", f"{name}=mit"]) == 0
    (row,) = table((target / "README.md").read_text(), "| model | licence")
    assert row[1] == "mit"
    assert "is not stated" not in (target / "README.md").read_text()
    assert "cc-by-4.0" in (target / "README.md").read_text()


def test_withdrawn_samples_are_counted_on_the_card(corpus, tmp_path, capsys):
    target = tmp_path / "export"
    words = ["--where", "stratum=invent", "--where", "generation=1", "--reason", "licence"]
    assert main(["withdraw", str(corpus), *words]) == 0
    run(corpus, target)
    text = (target / "README.md").read_text()
    summary_lines = ledger(corpus, capsys)["generations"]
    rows = table(text, "## The ledger")
    assert [int(row[12]) for row in rows] == [r["withdrawn"]["samples"] for r in summary_lines]
    assert int(rows[0][12]) > 0
    assert f"{rows[0][12]} withdrawn" in text
    accepted = sum(row["counts"]["accepted"] for row in summary_lines)
    assert manifest(target)["rows"] == accepted - int(rows[0][12])


def test_croissant_of_an_export_keeps_the_rules_and_names_its_files(exported):
    _, target = exported
    summary_lines = json.loads((target / "croissant.json").read_text())
    assert problems(summary_lines) == []
    assert summary_lines["conformsTo"] == CONFORMS_TO
    files = [one for one in summary_lines["distribution"] if one["@type"] == "cr:FileObject"]
    named = [shard for part in manifest(target)["increments"] for shard in part["shards"]]
    assert [(f["contentUrl"], f["sha256"]) for f in files] == [
        (shard["key"], shard["sha256"]) for shard in named
    ]
    assert (summary_lines["license"], summary_lines["creator"]["name"]) == (
        "https://spdx.org/licenses/CC-BY-4.0.html",
        "Lakes Ltd",
    )


def test_cells_and_blocks_hold_any_text():
    assert cell("a|b\n<img> & c") == "a\\|b &lt;img> &amp; c"
    assert fenced("x\n```\ny\n").startswith("````yaml\n")
    assert fenced("x\n```\ny\n").endswith("````")


def test_generation_without_known_unique_has_dashes(exported):
    summary_lines = json.loads((exported[1] / "ledger.json").read_text())["generations"][0]
    unknown = {"unique": {}, "unique_tokens": None}
    assert ledger_row(summary_lines | unknown)[8:11] == ["-", "-", "-"]
