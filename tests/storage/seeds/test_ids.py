"""Ids name rows: each once, or the source is refused with the rows that share one."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.catalogue import open_catalogue
from seedcorn.storage.seeds.ids import NamedRows, require_ids
from seedcorn.storage.stores.local import LocalStore


@pytest.fixture
def look(tmp_path):
    """Looks at the ids of a source that is written first."""

    def looked(name, data, **spec):
        path = tmp_path / name
        if isinstance(data, pa.Table):
            pq.write_table(data, path, row_group_size=3)
        else:
            path.write_bytes(data)
        store = LocalStore(tmp_path / "corpus")
        source = SourceSpec(str(path), **spec)
        catalogue = open_catalogue(source, "", store, StoreSpec())
        return require_ids(source, catalogue, "", (store, StoreSpec()))

    return looked


def lines(*ids):
    """JSONL rows with these ids, None for none."""
    rows = [
        {"text": f"text {n}"} | ({} if own is None else {"id": own}) for n, own in enumerate(ids)
    ]
    return "\n".join(json.dumps(row) for row in rows).encode()


def table(ids, kind):
    return pa.table({"id": pa.array(ids, kind), "text": [f"text {n}" for n in range(len(ids))]})


@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.dictionary(pa.int32(), pa.string())])
def test_id_that_repeats_in_another_row_group_is_named_with_its_rows(look, kind):
    own = pa.array([1, 2, 3, 4, 5, 6, 2, 8]).cast(pa.string() if kind != pa.int64() else kind)
    if pa.types.is_dictionary(kind):
        own = own.dictionary_encode()
    with pytest.raises(SeedError, match=r"d\.parquet: id '2' stands in rows 1 and 6 \(of 1 that"):
        look("d.parquet", table(own, kind), id="id")


def test_ids_that_differ_are_counted(look):
    assert look("d.parquet", table(["a", "b", None, "A", ""], pa.string()), id="id") == NamedRows(
        3, 2
    )
    assert look("d.jsonl", lines("a", 7, None, 1.5, True, "á"), id="id") == NamedRows(3, 3)


def test_number_and_the_text_of_its_digits_would_have_one_name_and_are_refused(look):
    with pytest.raises(SeedError, match="id '7' stands in rows 0 and 2"):
        look("d.jsonl", lines("7", "x", 7), id="id")


def test_all_rows_with_one_id_are_refused_without_holding_them(look):
    with pytest.raises(SeedError, match=r"rows 0 and 1 \(of 4999 that repeat one"):
        look("d.parquet", table(["same"] * 5000, pa.string()), id="id")


def test_key_that_no_row_has_is_refused_with_the_keys_there(look):
    data = b'{"uuid": 3, "text": "one"}\n{"uuid": 4, "text": "two", "lang": "en"}'
    with pytest.raises(SeedError, match="no row has the key 'uid'; the keys there are uuid, text"):
        look("d.jsonl", data, id="uid")


def test_key_whose_values_are_no_ids_is_refused_with_what_they_are(look):
    with pytest.raises(SeedError, match="no row has an id under 'id': 'id' holds a list"):
        look("d.jsonl", lines([1], [2]), id="id")
    with pytest.raises(SeedError, match="no row has an id under 'id': ids are texts or whole"):
        look("d.parquet", table(["x" * 999, None], pa.string()), id="id")


def test_source_without_ids_goes_by_numbers_and_lines_that_are_no_documents_do_not_count(look):
    assert look("d.jsonl", lines("a", "a")) == NamedRows(0, 2)
    assert look("d.parquet", table(["a", "a"], pa.string())) == NamedRows(0, 2)
    data = lines("a", "b") + b'\n{"id": "c", "text": "caf\xe9"}\nno json'
    assert look("e.jsonl", data, id="id") == NamedRows(2, 0)


def test_files_of_a_folder_of_texts_are_their_ids(tmp_path, look):
    (tmp_path / "texts").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "texts" / name).write_text("equal")
    store, source = LocalStore(tmp_path / "corpus"), SourceSpec(str(tmp_path / "texts"))
    catalogue = open_catalogue(source, "", store, StoreSpec())
    assert require_ids(source, catalogue, "", (store, StoreSpec())) == NamedRows(2, 0)
