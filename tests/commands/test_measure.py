"""`seedcorn measure`: real text that nobody grew, against plain Python sets."""

import json
import pydoc_data.topics

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.cli import main
from seedcorn.core.sketch.sketch import LENGTHS
from tests.core.teaching import sources as source
from tests.corpora.reading import plain_shingles, plain_words

TOPICS = [text for _, text in sorted(pydoc_data.topics.topics.items())]
HALVES = TOPICS[: len(TOPICS) // 2], TOPICS[len(TOPICS) // 2 :]
SEED = TOPICS[5:60:7]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two halves of Python's own help topics in two formats, a copy of all, and a seed."""
    folder = tmp_path_factory.mktemp("foreign")
    (folder / "first.jsonl").write_text(jsonl(HALVES[0]), encoding="utf-8")
    pq.write_table(pa.table({"body": HALVES[1]}), folder / "second.parquet")
    (folder / "copy").mkdir()
    for number, text in enumerate(TOPICS):
        (folder / "copy" / f"{number:03d}.txt").write_text(text, encoding="utf-8")
    (folder / "seed.jsonl").write_text(jsonl(SEED), encoding="utf-8")
    return folder


def jsonl(texts):
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)


def sources(folder):
    return [
        *("--seed", str(folder / "seed.jsonl")),
        *("--generation", f"1={folder / 'first.jsonl'}"),
        *("--generation", f"2={folder / 'second.parquet'}", "--text", "2=body"),
        *("--generation", f"3={folder / 'copy'}/*.txt"),
    ]


def measured(capsys, *words):
    assert main(["measure", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *words):
    assert main(["measure", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err


def test_measure_two_halves_and_a_copy_is_what_plain_sets_say(folder, capsys):
    found = measured(capsys, *sources(folder), "--companions", "0")
    assert found["sketch_rate"] == 1
    earlier = list(SEED)
    for row, texts in zip(found["generations"], [*HALVES, TOPICS], strict=True):
        for length in LENGTHS:
            unique = len(plain_shingles(texts, length) - plain_shingles(earlier, length))
            assert row["unique"][str(length)] == dict.fromkeys(("estimate", "low", "high"), unique)
        assert row["tokens"]["accepted"] == sum(len(plain_words(text)) for text in texts)
        assert row["counts"]["accepted"] == row["planned"] == len(texts)
        earlier += texts
    first, second, copy = (row["unique"]["8"]["estimate"] for row in found["generations"])
    assert min(first, second) > 10_000
    assert copy == 0
    assert [row["stratum"] for row in found["strata"]] == ["first", "second", "copy"]


def test_measure_with_few_fingerprints_covers_the_exact_figures(folder, capsys):
    exact = measured(capsys, *sources(folder), "--companions", "0")
    words = ("--companions", "0", "--fingerprints", "4000")
    found = measured(capsys, *sources(folder), *words)
    assert found["sketch_rate"] < 1 / 4
    for few, all_ in zip(found["generations"], exact["generations"], strict=True):
        interval, truth = few["unique"]["8"], all_["unique"]["8"]["estimate"]
        assert interval["low"] <= truth <= interval["high"]


def test_measure_companions_find_the_copy(folder, capsys):
    found = measured(
        capsys, *sources(folder), "--companions", "30", "--anchor", str(folder / "seed.jsonl")
    )
    one, two, copy = (row["companions"] for row in found["generations"])
    assert one["documents"] == two["documents"] == copy["documents"] == 30
    shares = [part["novel_share"]["mean"]["estimate"] for part in (one, two, copy)]
    assert min(shares[:2]) > 0.4 > 0.06 > shares[2]
    assert [part["history_documents"] for part in (one, two, copy)] == [8, 47, 87]
    assert one["anchor_gain"] is None
    assert "has 8 documents with text" in one["withheld"]["anchor_gain"]
    assert "kB" in one["withheld"]["order_gap"]


def test_measure_tells_what_text_taught_and_what_that_is_worth(tmp_path, capsys):
    texts = source.documents(3200, 4)
    held = {"seed": texts[:1500], "1": texts[1500:2200], "anchor": texts[2200:2510]}
    held |= {"yardstick": texts[2510:]}
    for name, part in held.items():
        (tmp_path / f"{name}.jsonl").write_text(jsonl(part), encoding="utf-8")
    words = [f"--{name}={tmp_path / name}.jsonl" for name in ("seed", "anchor", "yardstick")]

    found = measured(capsys, *words, f"--generation=1={tmp_path / '1.jsonl'}", "--companions", "30")

    [row] = found["generations"]
    assert row["companions"]["worth"]["low"] > 50
    assert row["companions"]["anchor_gain"]["low"] > 0.001


def test_measure_prints_the_ledgers_tables_and_how_to_read_them(folder, capsys):
    assert main(["measure", *sources(folder), "--companions", "0"]) == 0
    printed = capsys.readouterr()
    found = measured(capsys, *sources(folder), "--companions", "0")
    for row in found["generations"]:
        assert f"{row['unique']['8']['estimate']:,.0f}" in printed.out
    assert "tokens are words" in printed.out
    assert "uat: unique accepted tokens" in printed.out
    assert "memory: at most about 2.55 GB" in printed.err
    assert all(note in printed.out for note in found["notes"])


def test_measure_writes_the_report_and_nothing_else(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    before = sorted(folder.rglob("*"))
    page = tmp_path / "page.html"
    found = measured(capsys, *sources(folder), "--companions", "0", "-o", str(page))
    assert sorted(folder.rglob("*")) == before
    assert sorted(tmp_path.iterdir()) == [page]
    text = page.read_text(encoding="utf-8")
    assert "<html" in text
    assert json.dumps(found["generations"][0]["unique"]["8"]["estimate"]) in text


def test_measure_counts_rows_that_hold_no_document_as_failed(folder, tmp_path, capsys):
    (tmp_path / "odd.jsonl").write_text('not json\n{"text": ""}\n' + jsonl(["some words"] * 2))
    found = measured(capsys, "--generation", f"1={tmp_path / 'odd.jsonl'}", "--companions", "0")
    [row] = found["generations"]
    assert row["counts"] == {"accepted": 2, "duplicate": 0, "failed": 2, "rejected": 0}
    assert row["reasons"] == {"failed:empty": 1, "failed:not JSON": 1}
    assert row["information_budget"] == 0
    assert any("no --seed was given" in note for note in found["notes"])


def test_measure_longer_documents_than_allowed_are_failed(folder, capsys):
    words = ("--generation", f"1={folder / 'first.jsonl'}", "--max-chars", "2000")
    [row] = measured(capsys, *words, "--companions", "0")["generations"]
    long = sum(len(text) > 2000 for text in HALVES[0])
    assert row["reasons"] == {"failed:too long": long}


def test_measure_splits_plain_text_as_told(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("one two three\nfour five six\n\nseven eight nine\n")
    for split, documents in (("file", 1), ("paragraph", 2), ("line", 3)):
        words = ("--generation", f"1={tmp_path / 'a.txt'}", "--split", split)
        [row] = measured(capsys, *words, "--companions", "0")["generations"]
        assert row["counts"]["accepted"] == documents


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--generation", "1={0}", "--generation", "1={0}"], "--generation 1 is given twice"),
        (["--generation", "2={0}"], "--generation 2 without --generation 1"),
        (["--generation", "1={0}", "--generation", "3={0}"], "3 without --generation 2"),
        (["--generation", "1=/none.jsonl"], "--generation 1: seed /none.jsonl: no such file"),
        (["--generation", "1={0}", "--seed", "/none.txt"], "--seed: seed /none.txt: no such file"),
        (["--generation", "1={0}", "--anchor", "/none.txt"], "--anchor: seed /none.txt"),
        (["--generation", "1={0}", "--text", "body"], "no text under 'body'; its keys are text"),
        (["--generation", "1={0}", "--text", "2=body"], "'2' is not one of 1, anchor, seed"),
        (["--generation", "1={0}", "--text", "1="], "give one column"),
        (["--generation", "1={0}", "--text", "a", "--text", "b"], "give one column"),
        (["--generation", "1={0}", "samples=3"], "give only store."),
        (["--generation", "1={0}", "--generation", "2={1}"], "{1} has no usable document: 2 null"),
    ],
)
def test_measure_asked_wrongly_says_what_to_do(folder, tmp_path, words, message, capsys):
    names = (str(folder / "first.jsonl"), str(tmp_path / "null.jsonl"))
    (tmp_path / "null.jsonl").write_text('{"text": null}\n' * 2)
    assert message.format(*names) in refused(capsys, *(word.format(*names) for word in words))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--generation", "x=y"],
        ["--generation", "0=y"],
        ["--generation", "1="],
        ["--generation", "y"],
    ],
)
def test_measure_without_a_generation_shows_usage(words, capsys):
    assert "usage: seedcorn measure" in refused(capsys, *words)
