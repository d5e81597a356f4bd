"""Opening seed sources: what is found, what is refused, and what an error says."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.seeds import Catalogue, SeedReader, SeedSet, open_catalogue
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.opening import open_store
from tests.servers.seaweedfs import SeaweedServer

SPEC = StoreSpec()
TEXTS = ["one fish", "two fish", "red\0fish", "blau-grüner Fisch"]


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "corpus")


def write_parquet(path: Path, texts: list, **columns: list) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"text": texts} | columns), path, row_group_size=3)
    return path


def opened(path: str, base: Path, store: LocalStore, **options) -> Catalogue:
    return open_catalogue(SourceSpec(path, **options), str(base), store, SPEC)


def texts_of(catalogue: Catalogue, store: LocalStore) -> list[str | None]:
    reader = SeedReader(catalogue, store, SPEC)
    return [parent.text for parent in reader.read(range(catalogue.rows))]


def test_parquet_with_ids_is_read_as_written(tmp_path, store):
    write_parquet(tmp_path / "d.parquet", TEXTS, key=["a", "b", None, "d"])
    catalogue = opened("d.parquet", tmp_path, store, id="key")
    parents = SeedReader(catalogue, store, SPEC).read([3, 2, 0, 3])
    assert [p.text for p in parents] == [TEXTS[3], TEXTS[2], TEXTS[0], TEXTS[3]]
    assert [p.id for p in parents] == ["d:d", "d:2", "d:a", "d:d"]
    assert not catalogue.converted
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize(
    ("name", "encode"),
    [
        ("d.jsonl", lambda data: data),
        ("d.jsonl.gz", gzip.compress),
        ("d.jsonl.zst", lambda data: pa.compress(data, "zstd", asbytes=True)),
    ],
)
def test_jsonl_in_any_compression_is_read_as_written(name, encode, tmp_path, store):
    rows = [{"text": text, "n": number} for number, text in enumerate(TEXTS)]
    data = "\r\n".join(json.dumps(row) for row in rows).encode()
    (tmp_path / name).write_bytes(encode(data))
    catalogue = opened(name, tmp_path, store, id="n")
    assert texts_of(catalogue, store) == TEXTS
    assert SeedReader(catalogue, store, SPEC).read([2])[0].id == "d:2"


@pytest.mark.parametrize(
    "compress", [gzip.compress, lambda d: pa.compress(d, "zstd", asbytes=True)]
)
def test_concatenated_compressed_members_are_all_read(compress, tmp_path, store):
    members = b"".join(compress(json.dumps({"text": text}).encode() + b"\n") for text in TEXTS)
    name = "d.jsonl.gz" if members[:2] == b"\x1f\x8b" else "d.jsonl.zst"
    (tmp_path / name).write_bytes(members)
    assert texts_of(opened(name, tmp_path, store), store) == TEXTS


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("file", ["a\nb\n\n\nc\n"]),
        ("paragraph", ["a\nb", "c"]),
        ("line", ["a", "b", "c"]),
    ],
)
def test_plain_text_split_gives_documents(split, expected, tmp_path, store):
    (tmp_path / "d.txt").write_bytes(b"\xef\xbb\xbfa\nb\n\n\nc\n")
    assert texts_of(opened("d.txt", tmp_path, store, split=split), store) == expected


def test_folder_of_text_files_names_documents_by_file(tmp_path, store):
    for name in ("b.txt", "sub/a.txt", "_SUCCESS"):
        (tmp_path / "docs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "docs" / name).write_text(f"text of {name}")
    catalogue = opened("docs", tmp_path, store)
    parents = SeedReader(catalogue, store, SPEC).read([0, 1])
    assert [p.id for p in parents] == ["docs:b.txt", "docs:sub/a.txt"]
    assert parents[1].text == "text of sub/a.txt"


def test_glob_of_parquet_files_is_read_in_order_of_name(tmp_path, store):
    for name in ("b", "a", "c"):
        write_parquet(tmp_path / f"x/{name}.parquet", [f"{name}{i}" for i in range(4)])
    catalogue = opened("x/[ab].parquet", tmp_path, store, name="letters")
    assert texts_of(catalogue, store) == [f"{n}{i}" for n in "ab" for i in range(4)]
    assert [file.groups for file in catalogue.files] == [(3, 1), (3, 1)]


def test_relative_path_falls_back_to_the_current_folder(tmp_path, store, monkeypatch):
    write_parquet(tmp_path / "here/d.parquet", ["here"])
    monkeypatch.chdir(tmp_path / "here")
    assert opened("d.parquet", tmp_path / "recipes", store).rows == 1
    write_parquet(tmp_path / "recipes/d.parquet", ["a", "b"])
    assert opened("d.parquet", tmp_path / "recipes", store).rows == 2


def test_packaged_passages_are_all_usable(tmp_path, store):
    catalogue = opened("package:passages.jsonl", tmp_path, store, id="id")
    parents = SeedReader(catalogue, store, SPEC).read(range(catalogue.rows))
    assert catalogue.rows >= 48
    assert not any(parent.problem for parent in parents)
    assert len({parent.id for parent in parents}) == catalogue.rows
    assert parents[0].id.startswith("passages:")
    assert all(60 <= len(parent.text.split()) <= 140 for parent in parents)


def test_catalogue_survives_json_and_stays_small(tmp_path, store):
    write_parquet(tmp_path / "d.parquet", ["x"] * 9000)
    catalogue = opened("d.parquet", tmp_path, store)
    encoded = json.dumps(catalogue.to_dict())
    assert Catalogue.from_dict(json.loads(encoded)) == catalogue
    assert len(encoded) < 1000


def test_copied_seed_keeps_its_fingerprint_and_changed_seed_does_not(tmp_path, store):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder in ("a", "b"):
        (tmp_path / folder / "d.jsonl").write_text('{"text": "same"}\n')
        write_parquet(tmp_path / folder / "d.parquet", ["same"])
    for name in ("d.jsonl", "d.parquet"):
        first = opened(str(tmp_path / "a" / name), tmp_path, store)
        assert opened(str(tmp_path / "b" / name), tmp_path, store).fingerprint == first.fingerprint
    before = opened("a/d.jsonl", tmp_path, store).fingerprint
    (tmp_path / "a/d.jsonl").write_text('{"text": "diff"}\n')
    assert opened("a/d.jsonl", tmp_path, store).fingerprint != before
    before = opened("a/d.parquet", tmp_path, store).fingerprint
    write_parquet(tmp_path / "a/d.parquet", ["diff"])
    assert opened("a/d.parquet", tmp_path, store).fingerprint != before


def test_file_changed_after_opening_is_refused_by_name(tmp_path, store):
    write_parquet(tmp_path / "d.parquet", ["before"])
    catalogue = opened("d.parquet", tmp_path, store)
    write_parquet(tmp_path / "d.parquet", ["after"])
    with pytest.raises(SeedError, match=r"d\.parquet.*changed"):
        SeedReader(catalogue, store, SPEC).read([0])


def test_seed_set_is_one_space_of_ordinals(tmp_path, store):
    write_parquet(tmp_path / "a.parquet", ["a0", "a1", "a2", "a3"])
    write_parquet(tmp_path / "b.parquet", ["b0", "b1"])
    catalogues = [opened(f"{name}.parquet", tmp_path, store) for name in "ab"]
    seeds = SeedSet(catalogues, store, SPEC, {})
    assert seeds.rows == 6
    assert seeds.group_sizes() == [3, 1, 2]
    assert [p.text for p in seeds.read([5, 0, 4, 3, 0])] == ["b1", "a0", "b0", "a3", "a0"]
    scanned = [(b.first_ordinal, b.texts.to_pylist()) for b in seeds.scan()]
    assert scanned == [(0, ["a0", "a1", "a2"]), (3, ["a3"]), (4, ["b0", "b1"])]
    assert seeds.fingerprint != SeedSet(catalogues[::-1], store, SPEC, {}).fingerprint
    with pytest.raises(IndexError, match="seed row 6 of 6"):
        seeds.read([0, 6])
    with pytest.raises(SeedError, match="called 'a'"):
        SeedSet([catalogues[0], catalogues[0]], store, SPEC, {})


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("none.parquet", {}, r"none\.parquet: no such file, or an empty folder"),
        ("*.nothing", {}, r"\*\.nothing: nothing matches"),
        ("d.parquet", {"text": "body"}, r"d\.parquet.*'body' is missing.*text, n"),
        ("d.parquet", {"text": "n"}, r"d\.parquet.*'n' holds int64, not strings"),
        ("d.parquet", {"id": "key"}, r"d\.parquet.*id column 'key' is missing"),
        ("empty.parquet", {}, r"empty\.parquet: holds no rows"),
        ("empty.jsonl", {}, r"empty\.jsonl: holds no document"),
        ("torn.parquet", {}, r"torn\.parquet.*not a complete Parquet file"),
        ("lies.parquet", {}, r"lies\.parquet.*footer claims"),
        ("torn.jsonl.gz", {}, r"torn\.jsonl\.gz.*cannot be read"),
        ("torn.jsonl.zst", {}, r"torn\.jsonl\.zst.*cannot be read"),
        ("d.csv", {}, r"d\.csv: unknown file extension"),
        ("d.csv", {"format": "csv"}, r"unknown format 'csv'"),
        ("[de]*.*", {}, "mixes formats|unknown file extension"),
        ("d.txt", {"split": "page"}, "unknown split 'page'"),
        ("d.txt", {"name": "a:b"}, "seed name 'a:b'"),
        ("package:absent.jsonl", {}, r"absent\.jsonl.*passages\.jsonl"),
        ("nosuch://bucket/d.parquet", {}, "no filesystem for nosuch"),
    ],
)
def test_unreadable_source_is_refused_with_its_cause(path, options, message, tmp_path, store):
    write_parquet(tmp_path / "d.parquet", ["x"], n=[1])
    write_parquet(tmp_path / "empty.parquet", pa.array([], pa.string()))
    (tmp_path / "empty.jsonl").write_text("\n\n")
    (tmp_path / "torn.parquet").write_bytes((tmp_path / "d.parquet").read_bytes()[:-9])
    (tmp_path / "lies.parquet").write_bytes(b"PAR1" + b"\0" * 20 + b"\xff\xff\xff\x7fPAR1")
    data = json.dumps({"text": "x" * 500}).encode()
    (tmp_path / "torn.jsonl.gz").write_bytes(gzip.compress(data)[:-9])
    (tmp_path / "torn.jsonl.zst").write_bytes(pa.compress(data, "zstd", asbytes=True)[:-9])
    (tmp_path / "d.csv").write_text("text\nx\n")
    (tmp_path / "d.txt").write_text("x")
    with pytest.raises(SeedError, match=message):
        opened(path, tmp_path, store, **options)
    assert not list((tmp_path / "corpus").rglob("manifest.json"))


def test_mixed_formats_are_refused_by_example(tmp_path, store):
    write_parquet(tmp_path / "m/d.parquet", ["x"])
    (tmp_path / "m/readme.md").write_text("x")
    with pytest.raises(SeedError, match=r"parquet \(d\.parquet\), text \(readme\.md\)"):
        opened("m", tmp_path, store)
    assert opened("m", tmp_path, store, format="text").rows == 2


@pytest.mark.s3
def test_seed_on_s3_reads_like_a_local_one(
    tmp_path: Path, s3_uri: Callable[[], str], seaweedfs_server: SeaweedServer
):
    spec = StoreSpec(endpoint=seaweedfs_server.endpoint)
    source, store = open_store(s3_uri(), spec), open_store(s3_uri(), spec)
    source.put("p/d-0.parquet", write_parquet(tmp_path / "d.parquet", TEXTS))
    source.put("p/d-1.parquet", write_parquet(tmp_path / "e.parquet", TEXTS[::-1]))
    source.put("d.jsonl.gz", gzip.compress("".join(f'{{"text": "{t}"}}\n' for t in "xyz").encode()))
    for path, expected in {
        "p/d-*.parquet": TEXTS + TEXTS[::-1],
        "p": TEXTS + TEXTS[::-1],
        "p/d-1.parquet": TEXTS[::-1],
        "d.jsonl.gz": ["x", "y", "z"],
    }.items():
        catalogue = open_catalogue(SourceSpec(f"{source.uri}/{path}"), "", store, spec)
        reader = SeedReader(catalogue, store, spec)
        assert [p.text for p in reader.read(range(catalogue.rows))] == expected
        assert catalogue.converted or all(file.etag for file in catalogue.files)
    with pytest.raises(SeedError, match="no such file"):
        open_catalogue(SourceSpec(f"{source.uri}/absent.parquet"), "", store, spec)
