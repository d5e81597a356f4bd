"""A wrong `text:` or `id:` key: `plan` and `grow` name the keys that the seed has.

The case is a JSONL seed whose text lies under another key than the recipe says. Its neighbours are
columns of Parquet, compressed files, keys that hold no text, seeds behind HTTP and S3, other sources
than the seed, a key that only some rows have, and an id that no row has.
"""

import functools
import gzip
import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.cases.running import seedcorn, write_recipe

ROWS = [
    {
        "slug": f"loaf-{number}",
        "title": f"Loaf {number}",
        "body": f"Loaf {number} rises for {number + 3} hours beside the oven, under a linen cloth.",
        "tags": ["bread", "rye"],
        "minutes": 40 + number,
    }
    for number in range(12)
]
KEYS = "slug, title, body, tags, minutes"
LINES = "\n".join(json.dumps(row) for row in ROWS)


def refused(capsys, verb, folder, source, **changes):
    """The one line with which a recipe over this source is refused."""
    recipe = write_recipe(folder, seed=[source], **changes)
    capsys.readouterr()
    assert seedcorn(verb, recipe) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert not (folder / "corpus" / "log").exists()
    [line] = [one for one in printed.err.splitlines() if not one.startswith("reading ")]
    return line


@pytest.mark.parametrize("verb", ["plan", "grow"])
@pytest.mark.parametrize("name", ["loaves.jsonl", "loaves.jsonl.gz", "loaves.jsonl.zst"])
def test_wrong_text_key_names_the_keys_of_the_rows(verb, name, tmp_path, capsys):
    packed = {"gz": gzip.compress, "zst": lambda data: pa.compress(data, "zstd", asbytes=True)}
    data = packed.get(name.rpartition(".")[2], bytes)(LINES.encode())
    (tmp_path / name).write_bytes(data)
    line = refused(capsys, verb, tmp_path, {"path": name, "text": "txet"})
    assert "has no usable document: 12 no text key" in line
    assert f"no row has the key 'txet'; the keys there are {KEYS}" in line


@pytest.mark.parametrize("verb", ["plan", "grow"])
@pytest.mark.parametrize("role", ["text", "id"])
def test_wrong_column_names_the_columns_of_the_file(verb, role, tmp_path, capsys):
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "loaves.parquet")
    source = {"path": "loaves.parquet", "text": "body", "id": "slug"} | {role: "txet"}
    line = refused(capsys, verb, tmp_path, source)
    assert f"{role} column 'txet' is missing; the columns are {KEYS}" in line


@pytest.mark.parametrize("verb", ["plan", "grow"])
def test_key_that_holds_no_text_names_those_that_do(verb, tmp_path, capsys):
    (tmp_path / "loaves.jsonl").write_text(LINES)
    line = refused(capsys, verb, tmp_path, {"path": "loaves.jsonl", "text": "tags"})
    assert "'tags' holds a list in the first row that has it" in line
    assert "text is under slug, title, body" in line


def test_key_that_is_nearly_right_is_offered(tmp_path, capsys):
    (tmp_path / "loaves.jsonl").write_text(LINES)
    line = refused(capsys, "plan", tmp_path, {"path": "loaves.jsonl", "text": "boddy"})
    assert "did you mean 'body'?" in line


@pytest.mark.parametrize("where", ["against", "evaluations"])
def test_other_sources_than_the_seed_name_their_keys_too(where, tmp_path, capsys):
    (tmp_path / "loaves.jsonl").write_text(LINES)
    good, wrong = ({"path": "loaves.jsonl", "text": key} for key in ("body", "txet"))
    line = refused(capsys, "grow", tmp_path, good | {"name": "good"}, dedup={where: [wrong]})
    assert f"the keys there are {KEYS}" in line


def test_seed_behind_http_names_its_keys(tmp_path, capsys):
    (tmp_path / "loaves.jsonl").write_text(LINES)
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        path = f"http://127.0.0.1:{server.server_port}/loaves.jsonl"
        line = refused(capsys, "plan", tmp_path, {"path": path, "text": "txet"})
        server.shutdown()
    assert f"the keys there are {KEYS}" in line


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    def log_message(self, *arguments):
        pass


@pytest.mark.s3
def test_seed_on_an_object_store_names_its_keys(tmp_path, capsys, seaweedfs_server, s3_uri):
    uri, store = s3_uri(), {"endpoint": seaweedfs_server.endpoint}
    from seedcorn.core.recipe import StoreSpec
    from seedcorn.storage.stores.opening import open_store

    open_store(uri, StoreSpec(**store)).put("loaves.jsonl", LINES.encode())
    source = {"path": f"{uri}/loaves.jsonl", "text": "txet"}
    line = refused(capsys, "plan", tmp_path, source, store=store)
    assert f"the keys there are {KEYS}" in line


def test_key_that_some_rows_lack_is_a_warning_with_the_count(tmp_path, capsys):
    rows = [row if number % 3 else {"note": "none"} for number, row in enumerate(ROWS)]
    (tmp_path / "loaves.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert seedcorn("plan", write_recipe(tmp_path, seed=[source("body")])) == 0
    printed = capsys.readouterr().out
    assert "seed.0: 4 of 12 rows of loaves.jsonl cannot be used: 4 no text key" in printed


def test_id_that_no_row_has_names_the_keys(tmp_path, capsys):
    (tmp_path / "loaves.jsonl").write_text(LINES)
    seedcorn("plan", write_recipe(tmp_path, seed=[source("body") | {"id": "slugg"}]))
    printed = capsys.readouterr()
    said = printed.out + printed.err
    assert f"no row has the key 'slugg'; the keys there are {KEYS}" in said


def source(text):
    """The loaves, with their text under this key."""
    return {"path": "loaves.jsonl", "text": text}
