"""Reading seed rows: random access against scan, hostile rows, bounded memory, conversion once."""

import io
import json
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds import footers as seed_footers
from seedcorn.storage.seeds import lines as seed_lines
from seedcorn.storage.seeds.seeds import Catalogue, ScanBatch, SeedReader, open_catalogue
from seedcorn.storage.stores.local import LocalStore

SPEC = StoreSpec()
MAX_CHARS = 10
HOSTILE = {
    b"plain": "",
    b"nul\0here": "",
    "ümläute €".encode(): "",
    "\U0001f33d".encode() * 10: "",
    "\U0001f33d".encode() * 11: "too long",
    b"x" * 11: "too long",
    b"y" * 41: "too long",
    b"\xff\xfe": "not UTF-8",
    b"\xed\xa0\x80": "not UTF-8",
    b"tru\xe2\x82": "not UTF-8",
    b"": "empty",
    b" \n\t\xc2\xa0": "empty",
    None: "null",
}
cells = st.sampled_from(sorted(HOSTILE, key=str))


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "corpus")


def strings(values: list[bytes | None], kind: pa.DataType) -> pa.Array:
    """Bytes as an Arrow string column, invalid UTF-8 included, which Arrow itself lets pass."""
    if pa.types.is_large_string(kind):
        return pa.array(values, pa.large_binary()).view(pa.large_string())
    return pa.array(values, pa.binary()).view(pa.string())


def parquet_catalogue(path: Path, store: LocalStore, max_chars: int = MAX_CHARS) -> Catalogue:
    return open_catalogue(SourceSpec(str(path), max_chars=max_chars), "", store, SPEC)


def as_rows(batches: list[ScanBatch]) -> list[tuple[str | None, bool]]:
    """(text, usable) by ordinal; fails where the batches leave a gap or overlap."""
    rows: list[tuple[str | None, bool]] = []
    for batch in batches:
        assert batch.first_ordinal == len(rows)
        assert sum(batch.problems.values()) == int((~batch.usable).sum())
        rows += zip(batch.texts.to_pylist(), batch.usable.tolist(), strict=True)
    return rows


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    groups=st.lists(st.lists(cells, max_size=7), min_size=1, max_size=6).filter(any),
    large=st.booleans(),
    encoding=st.sampled_from(["dictionary", "PLAIN", "DELTA_BYTE_ARRAY"]),
    whole=st.booleans(),
    order=st.randoms(use_true_random=False),
)
def test_random_access_equals_scan_for_every_row_group_layout(
    groups, large, encoding, whole, order, tmp_path, store, monkeypatch
):
    path = tmp_path / "h.parquet"
    schema = pa.schema([("text", pa.large_string() if large else pa.string())])
    how = {"use_dictionary": True} if encoding == "dictionary" else {}
    how = how or {"use_dictionary": False, "column_encoding": {"text": encoding}}
    with pq.ParquetWriter(path, schema, **how) as writer:
        for group in groups:
            writer.write_table(pa.table([strings(group, schema.types[0])], schema=schema))
    with monkeypatch.context() as patch:
        patch.setattr(seed_footers, "WHOLE_BYTES", 128 << 20 if whole else 0)
        patch.setattr(seed_footers, "SLICE_ROWS", 2)
        reader = SeedReader(parquet_catalogue(path, store), store, SPEC, cached_groups=2)
        scanned = as_rows(list(reader.scan(batch_rows=3)))
        flat = [cell for group in groups for cell in group]
        ordinals = order.choices(range(len(flat)), k=20)
        parents = reader.read(ordinals)
    assert len(scanned) == len(flat)
    for ordinal, parent in zip(ordinals, parents, strict=True):
        problem = HOSTILE[flat[ordinal]]
        assert parent.problem == problem
        assert parent.text == (None if problem else flat[ordinal].decode())
        assert scanned[ordinal] == (parent.text or "", not problem)
        assert parent.id == f"h:{ordinal}"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"text": "fine"}', ""),
        (b'{"text": "nul\\u0000"}', ""),
        (b'{"text": null}', "null"),
        (b'{"text": 7}', "not text"),
        (b'{"text": ["a"]}', "not text"),
        (b'{"body": "x"}', "no text key"),
        (b'["text"]', "not a JSON object"),
        (b"7", "not a JSON object"),
        (b'{"text": "cut', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"text": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"text": "\xff"}', "not UTF-8"),
        (b'{"text": "\\ud800"}', "not UTF-8"),
        (b'{"text": "  "}', "empty"),
        (b'{"text": "eleven long"}', "too long"),
        (b'{"text": "ok", "pad": "' + b"x" * (2 << 20) + b'"}', "too long"),
    ],
)
def test_hostile_jsonl_line_becomes_a_row_that_says_why(line, problem, tmp_path, store):
    (tmp_path / "h.jsonl").write_bytes(b'{"text": "before"}\n' + line + b'\n\n{"text": "after"}')
    catalogue = parquet_catalogue(tmp_path / "h.jsonl", store)
    parents = SeedReader(catalogue, store, SPEC).read(range(catalogue.rows))
    assert [p.text for p in parents[::2]] == ["before", "after"]
    assert parents[1].problem == problem
    assert (parents[1].text is None) == bool(problem)
    assert catalogue.problems == ({problem: 1} if problem else {})


@given(
    data=st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"bc" * 9, b" "]), max_size=30),
    chunk=st.integers(1, 8),
)
def test_lines_do_not_depend_on_how_the_file_is_chunked(data, chunk):
    raw = b"".join(data)
    pieces = raw.split(b"\n")
    pieces = pieces if pieces[-1] else pieces[:-1]
    expected = [None if len(line) > 20 else line.removesuffix(b"\r") for line in pieces]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed_lines, "CHUNK", chunk)
        found = list(seed_lines.lines(io.BytesIO(raw), 20))
    assert found == expected


def test_two_megabyte_cell_is_a_problem_and_its_neighbours_are_not(tmp_path, store):
    pq.write_table(pa.table({"text": ["a", "x" * (2 << 20), "b"]}), tmp_path / "h.parquet")
    parents = SeedReader(parquet_catalogue(tmp_path / "h.parquet", store), store, SPEC).read(
        [0, 1, 2]
    )
    assert [(p.text, p.problem) for p in parents] == [("a", ""), (None, "too long"), ("b", "")]


def test_hostile_ids_give_way_to_the_row_number(tmp_path, store):
    ids = strings([b"good", b"\xff", b"i" * 300, None], pa.string())
    pq.write_table(pa.table({"text": list("abcd"), "key": ids}), tmp_path / "h.parquet")
    spec = SourceSpec(str(tmp_path / "h.parquet"), id="key")
    reader = SeedReader(open_catalogue(spec, "", store, SPEC), store, SPEC)
    assert [p.id for p in reader.read(range(4))] == ["h:good", "h:1", "h:2", "h:3"]


def test_corrupt_page_is_an_error_that_names_the_row_group(tmp_path, store):
    path = tmp_path / "h.parquet"
    texts = [f"text {n}" * 20 for n in range(100)]
    pq.write_table(pa.table({"text": texts}), path, row_group_size=50, write_page_checksum=True)
    data = bytearray(path.read_bytes())
    start = pq.read_metadata(path).row_group(1).column(0).data_page_offset
    data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    reader = SeedReader(parquet_catalogue(path, store, 1000), store, SPEC)
    assert reader.read([0])[0].text == texts[0]
    with pytest.raises(SeedError, match=r"h\.parquet, row group 1"):
        reader.read([99])


def test_two_million_sparse_rows_are_opened_and_read_in_bounded_memory(tmp_path, store):
    path = tmp_path / "h.parquet"
    rows, document = 2_000_000, "seed corn " * 2000
    column = pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(rows // 4, np.int32)), pa.array([document])
    )
    with pq.ParquetWriter(path, pa.schema([("text", column.type)])) as writer:
        for _ in range(4):
            writer.write_table(pa.table({"text": column}), row_group_size=rows // 4)
    del column
    before = pa.total_allocated_bytes()
    catalogue = parquet_catalogue(path, store, 20_000)
    assert catalogue.rows == rows
    assert pa.total_allocated_bytes() - before < 1 << 20
    reader = SeedReader(catalogue, store, SPEC)
    parents = reader.read([0, rows // 2, rows - 1])
    assert {parent.text for parent in parents} == {document}
    assert pa.total_allocated_bytes() - before < 32 << 20
    scan = reader.scan()
    for _ in range(5):
        batch = next(scan)
        assert batch.usable.all()
        assert batch.texts.nbytes < 40 << 20
        assert pa.total_allocated_bytes() - before < 160 << 20


def test_large_row_group_streams_past_without_being_held(tmp_path, store, monkeypatch):
    path = tmp_path / "h.parquet"
    random = np.random.default_rng(7)
    texts = [random.bytes(2000).hex() for _ in range(8000)]
    pq.write_table(pa.table({"text": texts}), path, use_dictionary=False, compression="none")
    monkeypatch.setattr(seed_footers, "WHOLE_BYTES", 1 << 20)
    reader = SeedReader(parquet_catalogue(path, store, 20_000), store, SPEC)
    before, peak = pa.total_allocated_bytes(), 0
    for batch in reader.scan():
        peak = max(peak, pa.total_allocated_bytes() - before)
        assert batch.usable.all()
    assert peak < 12 << 20
    assert [p.text for p in reader.read([7999, 3])] == [texts[7999], texts[3]]


def test_threads_read_the_same_rows(tmp_path, store):
    path = tmp_path / "h.parquet"
    pq.write_table(pa.table({"text": [str(n) for n in range(3000)]}), path, row_group_size=100)
    reader = SeedReader(parquet_catalogue(path, store), store, SPEC, cached_groups=2)
    wrong: list[int] = []

    def work(seed: int) -> None:
        ordinals = np.random.default_rng(seed).integers(0, 3000, 50).tolist()
        for _ in range(5):
            found = [parent.text for parent in reader.read(ordinals)]
            wrong.extend([seed] * (found != [str(n) for n in ordinals]))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("ordinal", [-1, 3])
def test_ordinal_outside_the_seed_is_refused(ordinal, tmp_path, store):
    pq.write_table(pa.table({"text": list("abc")}), tmp_path / "h.parquet")
    reader = SeedReader(parquet_catalogue(tmp_path / "h.parquet", store), store, SPEC)
    assert reader.read([]) == []
    with pytest.raises(IndexError, match=f"seed row {ordinal} of 3"):
        reader.read([0, ordinal])


def test_conversion_is_reused_until_the_source_changes(tmp_path, store):
    source = tmp_path / "h.jsonl"
    source.write_text('{"text": "one"}\n')
    first = parquet_catalogue(source, store)
    key = first.files[0].path
    folder = key.rpartition("/")[0]
    written = (tmp_path / "corpus" / key).stat().st_mtime_ns
    assert parquet_catalogue(source, store) == first
    assert (tmp_path / "corpus" / key).stat().st_mtime_ns == written
    source.write_text('{"text": "one"}\n{"text": "two"}\n')
    second = parquet_catalogue(source, store)
    assert second.rows == 2
    assert second.fingerprint != first.fingerprint
    assert not second.files[0].path.startswith(folder)
    assert SeedReader(first, store, SPEC).read([0])[0].text == "one"


def test_conversion_without_its_manifest_is_made_again(tmp_path, store):
    (tmp_path / "h.jsonl").write_text('{"text": "one"}\n')
    first = parquet_catalogue(tmp_path / "h.jsonl", store)
    folder = (tmp_path / "corpus" / first.files[0].path).parent
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["parts"][0]["rows"] == 1
    (folder / "manifest.json").unlink()
    (folder / "part-00000.parquet").write_bytes(b"torn")
    assert parquet_catalogue(tmp_path / "h.jsonl", store) == first
    assert SeedReader(first, store, SPEC).read([0])[0].text == "one"


def test_conversion_is_cut_into_parts_and_row_groups(tmp_path, store, monkeypatch):
    monkeypatch.setattr("seedcorn.storage.seeds.conversion.GROUP_ROWS", 3)
    monkeypatch.setattr("seedcorn.storage.seeds.conversion.PART_BYTES", 300)
    lines = [f'{{"text": "row {n}"}}' for n in range(20)]
    (tmp_path / "h.jsonl").write_text("\n".join(lines))
    catalogue = parquet_catalogue(tmp_path / "h.jsonl", store)
    assert [file.groups for file in catalogue.files] == [(3, 3), (3, 3), (3, 3), (2,)]
    parents = SeedReader(catalogue, store, SPEC).read(range(20))
    assert [p.text for p in parents] == [f"row {n}" for n in range(20)]
