"""What is held back, written and read again, and the column that rows are held back by."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.core.errors import CorruptCorpus, SeedError
from seedcorn.core.holdout.held import Held, together
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.held_out import grouped_rows, read_held, require_group, write_held
from seedcorn.storage.seeds.seeds import open_catalogue
from seedcorn.storage.stores.memory import MemoryStore

SPEC = StoreSpec()
HELD = Held(
    np.array([3, 7, 2**40]), np.array([0, 2, 1], np.int8), np.array([1, 2**64 - 1, 9], np.uint64)
)
ROWS = [("a b", "x"), ("c d", None), ("e f", "y"), ("g h", "x")]


def opened(path, group, store, **options):
    return open_catalogue(SourceSpec(str(path), **options), "", store, SPEC, group)


def groups(catalogue, store, group):
    """The group of every row, in order."""
    found = {}
    for first, piece, names in grouped_rows(catalogue, store, SPEC, group):
        assert len(names) == len(piece.problems)
        found |= dict(enumerate(names, first))
    assert list(found) == list(range(catalogue.rows))
    return list(found.values())


def jsonl(folder, rows, name="rows.jsonl"):
    lines = [json.dumps(row) if isinstance(row, dict) else row for row in rows]
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return folder / name


def test_hold_out_that_is_written_is_read_again_and_equal_ones_have_one_key():
    store = MemoryStore("held")
    ref = write_held(store, HELD)
    assert write_held(store, HELD) == ref
    found = read_held(store, [ref])
    assert found.ordinals.tolist() == HELD.ordinals.tolist()
    assert found.roles.tolist() == HELD.roles.tolist()
    assert found.clusters.tolist() == HELD.clusters.tolist()
    assert ref.rows == 3


def test_nothing_held_is_written_and_read_as_well():
    store = MemoryStore("held")
    found = read_held(store, [write_held(store, together([]))])
    assert found.ordinals.tolist() == []


def test_object_that_is_not_what_was_logged_is_refused():
    store = MemoryStore("held")
    ref = write_held(store, HELD)
    store.put(ref.key, b"other")
    with pytest.raises(CorruptCorpus, match="sha256"):
        read_held(store, [ref])


@pytest.mark.parametrize("numbers", [False, True])
def test_parquet_column_is_read_directly(tmp_path, numbers):
    texts, values = zip(*ROWS, strict=True)
    column = [None if v is None else ord(v) for v in values] if numbers else list(values)
    pq.write_table(pa.table({"text": list(texts), "book": column}), tmp_path / "rows.parquet")
    store = MemoryStore("held")
    catalogue = opened(tmp_path / "rows.parquet", "book", store)
    expected = ["120", "", "121", "120"] if numbers else ["x", "", "y", "x"]
    assert groups(catalogue, store, "book") == expected
    assert groups(catalogue, store, "") == [""] * 4


def test_key_of_jsonl_is_kept_where_it_is_named_and_the_seed_stays_the_same(tmp_path):
    rows = [{"text": text} | ({"book": book} if book else {}) for text, book in ROWS]
    path = jsonl(tmp_path, [*rows, "no JSON", {"text": "i j", "book": 7}, {"book": "z"}])
    store = MemoryStore("held")
    plain, kept = opened(path, "", store), opened(path, "book", store)
    assert groups(kept, store, "book") == ["x", "", "y", "x", "", "7", ""]
    assert groups(plain, store, "book") == [""] * 7
    assert plain.files != kept.files
    assert (plain.fingerprint, plain.rows) == (kept.fingerprint, kept.rows)
    assert opened(path, "", store) == plain


def test_column_that_is_not_there_is_refused_by_name(tmp_path):
    pq.write_table(pa.table({"text": ["a"], "part": [0.5]}), tmp_path / "rows.parquet")
    store = MemoryStore("held")
    with pytest.raises(SeedError, match=r"'book' is missing; the columns are text, part"):
        opened(tmp_path / "rows.parquet", "book", store)
    with pytest.raises(SeedError, match="holds double, not texts or whole numbers"):
        opened(tmp_path / "rows.parquet", "part", store)


def test_key_that_no_row_has_is_refused_by_name(tmp_path):
    store, path = MemoryStore("held"), jsonl(tmp_path, [{"text": "a", "book": "x"}])
    stores, spec = (store, SPEC), SourceSpec(str(path))
    with pytest.raises(SeedError, match=r"no row has a group under 'boko'.*mean 'book'"):
        require_group(spec, opened(path, "boko", store), "", stores, "boko")
    require_group(spec, opened(path, "book", store), "", stores, "book")
    require_group(spec, opened(path, "", store), "", stores, "")


def test_plain_text_has_nothing_to_hold_out_by(tmp_path):
    (tmp_path / "rows.txt").write_text("a\nb", encoding="utf-8")
    with pytest.raises(SeedError, match="plain text has no column 'book' to hold out by"):
        opened(tmp_path / "rows.txt", "book", MemoryStore("held"), split="line")
