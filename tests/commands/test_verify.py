"""`seedcorn verify` as a person runs it: exit codes, a line per promise, JSON for programs."""

import json

import pytest

from seedcorn.cli import main
from seedcorn.core.recipe import EngineSpec, PromptSpec, Recipe, SourceSpec, StoreSpec, UnitsSpec
from seedcorn.storage.stores.opening import open_store
from tests.corpora.digests import corpus_digest
from tests.corpora.growing import grow_in_process


@pytest.fixture
def corpus(tmp_path):
    """A small corpus on disk."""
    (tmp_path / "seed.txt").write_text("one document of its own\nanother one\n", encoding="utf-8")
    recipe = Recipe(
        name="small",
        samples=20,
        seed=[SourceSpec(path="seed.txt", name="docs", split="line")],
        prompts=[PromptSpec(name="tell", template="{{ parent }}")],
        engine=EngineSpec(kind="simulated"),
        units=UnitsSpec(unit=5, batch=2),
    )
    grow_in_process(recipe, str(tmp_path / "corpus"), str(tmp_path))
    return tmp_path / "corpus"


def test_verify_sound_corpus_exits_0_with_a_line_per_promise_and_the_digest(corpus, capsys):
    assert main(["verify", str(corpus)]) == 0
    lines = capsys.readouterr().out.splitlines()
    for promise in ("log", "P1", "P2", "P3", "P5", "P6", "P8", "lineage", "ledger", "sketches"):
        assert any(line.split()[:2] == [promise, "ok"] for line in lines), promise
    assert lines[-1] == f"corpus digest: {corpus_digest(open_store(str(corpus), StoreSpec()))}"


def test_verify_damaged_corpus_exits_1_and_names_the_object(corpus, capsys):
    shard = sorted((corpus / "data").rglob("*.parquet"))[0]
    shard.write_bytes(shard.read_bytes()[:-1])
    assert main(["verify", str(corpus)]) == 1
    out = capsys.readouterr().out
    assert "WRONG" in out
    assert shard.name in out
    assert "corpus digest" not in out


def test_verify_json_holds_the_same_report(corpus, capsys):
    assert main(["verify", str(corpus), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["broken"], report["warnings"]) == (True, None, [])
    assert {"promise", "text"} == report["proved"][0].keys()
    (corpus / "log" / "0000000002.json").unlink()
    assert main(["verify", str(corpus), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["broken"]["promise"], report["digest"]) == (False, "log", "")


def test_verify_what_cannot_be_checked_exits_2(tmp_path, capsys):
    assert main(["verify", str(tmp_path / "nothing")]) == 2
    assert "holds no corpus" in capsys.readouterr().err


def test_verify_unknown_override_exits_2(corpus, capsys):
    assert main(["verify", str(corpus), "engine.workers=2"]) == 2
    assert "engine.workers=2" in capsys.readouterr().err
