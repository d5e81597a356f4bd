"""Documents of other tools: every form, the same rows, nothing written."""

import gzip
import json

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.measure import foreign
from seedcorn.storage.measure.foreign import open_documents, source_name

TEXTS = ["first text", "second text, ünlike", "third text", "fourth\ntext"]


def jsonl(texts, key="text"):
    return "".join(json.dumps({"n": n, key: text}) + "\n" for n, text in enumerate(texts))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.jsonl").write_text(jsonl(TEXTS))
    (tmp_path / "one.jsonl.gz").write_bytes(gzip.compress(jsonl(TEXTS).encode()))
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "one.parquet")
    (tmp_path / "parts").mkdir()
    for n, text in enumerate(TEXTS):
        (tmp_path / "parts" / f"{n}.txt").write_text(text)
    (tmp_path / "paragraphs.md").write_text("\n\n".join(TEXTS))
    return tmp_path


def opened(path, **options):
    return open_documents(SourceSpec(path=str(path), **options), StoreSpec())


def texts_of(documents):
    return [
        text
        for batch in documents.scan()
        for text, usable in zip(batch.texts.to_pylist(), batch.usable, strict=True)
        if usable
    ]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("one.jsonl", {}),
        ("one.jsonl.gz", {}),
        ("one.parquet", {}),
        ("parts", {}),
        ("parts/*.txt", {}),
        ("paragraphs.md", {"split": "paragraph"}),
    ],
)
def test_scan_gives_the_texts_of_every_form_and_writes_nothing(folder, name, options):
    before = sorted(folder.rglob("*"))
    documents = opened(folder / name, **options)
    assert documents.rows == 4
    assert texts_of(documents) == TEXTS
    assert texts_of(documents) == TEXTS
    assert sorted(folder.rglob("*")) == before


def test_scan_reads_any_fsspec_store():
    with fsspec.filesystem("memory").open("/foreign/a.jsonl", "w") as handle:
        handle.write(jsonl(TEXTS))
    assert texts_of(opened("memory://foreign/a.jsonl")) == TEXTS


def test_scan_in_small_batches_keeps_order_and_ordinals(folder, monkeypatch):
    monkeypatch.setattr(foreign, "ROWS", 3)
    batches = list(opened(folder / "one.jsonl").scan())
    assert [(b.first_ordinal, len(b.usable)) for b in batches] == [(0, 3), (3, 1)]
    monkeypatch.setattr(foreign, "CHARS", 12)
    batches = list(opened(folder / "one.jsonl").scan())
    assert [len(batch.usable) for batch in batches] == [2, 2]


def test_rows_without_a_document_are_counted_with_their_problem(tmp_path):
    lines = [jsonl(["a text"]), "not json\n", '{"n": 1}\n', '{"text": ""}\n', "\n", "[1]\n"]
    (tmp_path / "a.jsonl").write_text("".join(lines) + jsonl(["x" * 31]))
    documents = opened(tmp_path / "a.jsonl", max_chars=30)
    [batch] = documents.scan()
    assert documents.rows == len(batch.usable) == 6
    assert batch.usable.tolist() == [True, False, False, False, False, False]
    problems = ["not JSON", "no text key", "empty", "not a JSON object", "too long"]
    assert batch.problems == dict.fromkeys(problems, 1)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("none.jsonl", {}, "no such file"),
        ("none/*.parquet", {}, "nothing matches"),
        ("empty.jsonl", {}, "holds no document at all"),
        ("empty.parquet", {}, "holds no rows at all"),
        ("one.jsonl", {"text": "body"}, "no text under 'body'; its keys are n, text"),
        ("one.parquet", {"text": "body"}, "'body' is missing; the columns are text"),
        ("one.bin", {}, "unknown file extension"),
        ("damaged.parquet", {}, "not a complete Parquet file"),
        ("damaged.jsonl.gz", {}, "cannot be read"),
    ],
)
def test_open_of_what_cannot_be_measured_says_why(folder, name, options, message):
    (folder / "empty.jsonl").write_text("\n")
    (folder / "one.bin").write_text("text")
    (folder / "damaged.parquet").write_bytes(b"PAR1 no footer")
    (folder / "damaged.jsonl.gz").write_bytes(b"no gzip")
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), folder / "empty.parquet")
    with pytest.raises(SeedError, match=message):
        opened(folder / name, **options)


def test_scan_of_a_file_that_changed_since_it_was_counted_is_refused(folder):
    documents = opened(folder / "one.jsonl")
    (folder / "one.jsonl").write_text(jsonl(TEXTS[:2]))
    with pytest.raises(SeedError, match="held 4 rows, then 2: it was changed"):
        texts_of(documents)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("data/one.jsonl.gz", "one"),
        ("s3://bucket/out/part-*.parquet", "out"),
        ("s3://bucket/", "bucket"),
        ("package:passages.jsonl", "passages"),
        ("*.txt", "text"),
        ("/data/", "data"),
    ],
)
def test_source_name_is_the_last_part_that_is_no_pattern(path, name):
    assert source_name(path) == name
