"""Seeds from an adversary: each ends in rows that say why, or in one error that names the file."""

import gzip
import json
import os
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.catalogue import catalogue_of
from seedcorn.storage.seeds.files import Filesystems, find_files
from seedcorn.storage.seeds.lines import paragraphs
from seedcorn.storage.seeds.seeds import SeedReader, open_catalogue
from seedcorn.storage.stores.local import LocalStore
from tests.security.limits import MIB, run_limited

SPEC = StoreSpec()


def read(path, corpus, **options):
    """(usable texts, problems) of a seed."""
    store = LocalStore(Path(corpus))
    catalogue = open_catalogue(SourceSpec(str(path), **options), "", store, SPEC)
    texts, problems = [], {}
    for batch in SeedReader(catalogue, store, SPEC).scan():
        rows = zip(batch.texts.to_pylist(), batch.usable.tolist(), strict=True)
        texts += [text for text, usable in rows if usable]
        for problem, count in batch.problems.items():
            problems[problem] = problems.get(problem, 0) + count
    return texts, problems


@pytest.mark.parametrize(
    ("name", "data", "texts", "problems"),
    [
        ("nul.jsonl", b'{"text": "a\\u0000b"}\n', ["a\0b"], {}),
        ("bom.jsonl", b'\xef\xbb\xbf{"text": "a"}\n', ["a"], {}),
        ("crlf.jsonl", b'{"text": "a"}\r\n{"text": "b"}\r\n', ["a", "b"], {}),
        ("twice.jsonl", b'{"text": "a", "text": "b"}\n', ["b"], {}),
        ("lone.jsonl", b'{"text": "\\udc80"}\n{"text": "b"}', ["b"], {"not UTF-8": 1}),
        ("half.jsonl", b'{"text": "a"}\n{"text": 7}\n{"body": "b"}\n', ["a"], None),
    ],
)
def test_hostile_lines_become_rows_that_say_why(name, data, texts, problems, tmp_path):
    (tmp_path / name).write_bytes(data)
    found = read(tmp_path / name, tmp_path / "corpus")
    assert found == (texts, {"not text": 1, "no text key": 1} if problems is None else problems)


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        (b'{"text": "a"}\r{"text": "b"}\r', "1 not JSON"),
        ('{"text": "a"}\n'.encode("utf-16"), "1 not JSON, 1 not UTF-8"),
        (b'{"text": ' + b"[" * 90_000 + b"\n", "1 not JSON"),
        (b'{"text": ' + b"9" * 5000 + b"}\n", "1 not JSON"),
    ],
    ids=["carriage returns", "utf-16", "nested", "endless number"],
)
def test_file_of_hostile_lines_alone_is_refused_with_what_they_are(data, problems, tmp_path):
    (tmp_path / "odd.jsonl").write_bytes(data)
    with pytest.raises(SeedError, match=f"odd.jsonl has no usable document: {problems}$"):
        read(tmp_path / "odd.jsonl", tmp_path / "corpus")


def test_lines_of_fifty_megabytes_are_passed_in_bounded_memory(tmp_path):
    for name in ("long.jsonl", "long.txt"):
        (tmp_path / name).write_bytes(b'{"text": "' + b"x" * (50 * MIB) + b'"}\n{"text": "ok"}\n')
    program = """
import sys
from pathlib import Path
from tests.security.test_seeds import read
print(read(sys.argv[1], sys.argv[2] + "/a"), read(sys.argv[3], sys.argv[2] + "/b", split="line"))
"""
    done = run_limited(
        program, str(tmp_path / "long.jsonl"), str(tmp_path), str(tmp_path / "long.txt")
    )
    assert "(['ok'], {'too long': 1})" in done.output
    assert done.peak < 450


@pytest.mark.parametrize("ending", [".jsonl.gz", ".txt.gz", ".jsonl.zst"])
def test_compression_bomb_is_refused_by_name_before_it_has_grown(ending, tmp_path):
    path = tmp_path / f"bomb{ending}"
    zeros = b"\0" * (40 * MIB)
    packed = (
        gzip.compress(zeros) if ending.endswith("gz") else pa.compress(zeros, "zstd", asbytes=True)
    )
    path.write_bytes(packed * 25)
    with pytest.raises(SeedError, match=rf"{path.name}: expands more than 200-fold"):
        read(path, tmp_path / "corpus", split="line")


def test_paragraph_of_a_million_lines_takes_linear_time():
    assert [len(p) for p in paragraphs(iter([b"a"] * 1_000_000), 2_000_000)] == [1_999_999]


def test_dictionary_bomb_of_four_gigabytes_is_read_in_bounded_memory(tmp_path):
    path = tmp_path / "bomb.parquet"
    column = pa.DictionaryArray.from_arrays(
        pa.array([0] * 200_000, pa.int32()), pa.array(["seed corn " * 2000])
    )
    pq.write_table(pa.table({"text": column}), path)
    assert path.stat().st_size < 64 << 10
    program = """
import sys
from pathlib import Path
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.seeds.seeds import SeedReader, open_catalogue
store = LocalStore(Path(sys.argv[2]))
catalogue = open_catalogue(SourceSpec(sys.argv[1]), "", store, StoreSpec())
reader = SeedReader(catalogue, store, StoreSpec())
rows = sum(len(batch.usable) for batch in reader.scan())
print(rows, len(reader.read([0, 199_999])[1].text))
"""
    done = run_limited(program, str(path), str(tmp_path / "corpus"))
    assert done.output.strip() == "200000 20000"
    assert done.peak < 600


def refusal(path, corpus):
    """Why the seed is refused; empty where every row that its footer claims is read."""
    try:
        texts, problems = read(path, corpus)
    except SeedError as error:
        return str(error)
    footer = pq.read_metadata(path)
    claimed = [footer.row_group(group).num_rows for group in range(footer.num_row_groups)]
    assert len(texts) + sum(problems.values()) == sum(claimed)
    return ""


@pytest.mark.parametrize("flip", [0x01, 0x08, 0x40])
@pytest.mark.parametrize("dictionary", [True, False])
def test_parquet_with_any_byte_changed_is_read_or_refused_by_name(dictionary, flip, tmp_path):
    path = tmp_path / "d.parquet"
    table = pa.table({"text": ["seed corn", "rye", "rye"]})
    pq.write_table(table, path, compression="none", use_dictionary=dictionary)
    sound, told = path.read_bytes(), []
    for place in range(len(sound)):
        changed = bytearray(sound)
        changed[place] ^= flip
        path.write_bytes(changed)
        told.append(refusal(path, tmp_path / "corpus"))
    refused = [why for why in told if why]
    assert 0 < len(refused) < len(told)
    assert [why for why in refused if str(path) not in why] == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_hundred_thousand_tiny_files_are_one_seed_in_bounded_memory(tmp_path):
    for number in range(100_000):
        folder = tmp_path / "seed" / f"{number // 1000:03d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:06d}.txt").write_text(f"Document {number} about seed corn.")
    program = """
import json, sys
from pathlib import Path
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.seeds.seeds import SeedReader, open_catalogue
store = LocalStore(Path(sys.argv[2]))
catalogue = open_catalogue(SourceSpec(sys.argv[1], split="file"), "", store, StoreSpec())
last = SeedReader(catalogue, store, StoreSpec()).read([99_999])[0]
print(catalogue.rows, len(json.dumps(catalogue.to_dict())) < 1000, last.text)
"""
    done = run_limited(program, str(tmp_path / "seed"), str(tmp_path / "corpus"))
    assert done.output.strip() == "100000 True Document 99999 about seed corn."
    assert done.peak < 500


def test_links_devices_and_pipes_in_a_folder_are_refused_by_name(tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    for name, make in {
        "link.txt": lambda path: path.symlink_to(outside),
        "dangling.txt": lambda path: path.symlink_to("nowhere"),
        "loop": lambda path: path.symlink_to("."),
        "pipe.txt": os.mkfifo,
    }.items():
        folder = tmp_path / f"with-{name}"
        folder.mkdir()
        (folder / "good.txt").write_text("good")
        make(folder / name)
        with pytest.raises(SeedError, match=f"{name}: is (a symbolic link|not a regular file)"):
            read(folder, tmp_path / "corpus")
    assert read(tmp_path / "with-link.txt" / "link.txt", tmp_path / "corpus")[0] == ["secret"]


def test_file_name_that_is_no_text_is_refused(tmp_path):
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt"))).write_text("x")
    with pytest.raises(SeedError, match="its name is not UTF-8"):
        read(tmp_path, tmp_path / "corpus")
    for path in ("a\0b.txt", "\ud800.txt"):
        with pytest.raises(SeedError, match="UTF-8 text without NUL"):
            read(path, tmp_path / "corpus")


def test_file_that_grows_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "grows.jsonl"
    path.write_bytes(b'{"text": "a"}\n' * 10)
    filesystems, spec = Filesystems(SPEC), SourceSpec(str(path), name="grows")
    source = find_files(spec, "", filesystems)
    with path.open("ab") as file:
        file.write(b'{"text": "late"}\n')
    store = LocalStore(tmp_path / "corpus")
    with pytest.raises(SeedError, match=r"grows\.jsonl: changed while it was read"):
        catalogue_of(spec, source, filesystems, store)
    os.utime(path, (1, 1))
    same_size = replace(source.files[0], size=path.stat().st_size)
    with pytest.raises(SeedError, match="changed while"):
        catalogue_of(spec, replace(source, files=(same_size,)), filesystems, store)
    assert not list((tmp_path / "corpus").rglob("manifest.json"))


def test_pickle_in_arrow_metadata_is_never_loaded(tmp_path):
    mark = tmp_path / "owned"
    payload = b"cos\nsystem\n(S'touch " + str(mark).encode() + b"'\ntR."
    for name in (b"arrow.py_extension_type", b"ray.data.arrow_tensor", b"pandas.period"):
        field = pa.field(
            "text",
            pa.string(),
            metadata={b"ARROW:extension:name": name, b"ARROW:extension:metadata": payload},
        )
        schema = pa.schema([field], metadata={b"pandas": payload})
        pq.write_table(pa.table([pa.array(["fine"])], schema=schema), tmp_path / "p.parquet")
        assert read(tmp_path / "p.parquet", tmp_path / "corpus")[0] == ["fine"]
    assert not mark.exists()


def test_ids_and_names_from_data_never_become_paths(tmp_path):
    evil = ["../../../evil", "/etc/evil", "a/b", "..", "\0", "\u202e\u2024\u2024/x", "con:"]
    rows = [json.dumps({"text": f"text {n}", "id": name}) for n, name in enumerate(evil)]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ids.jsonl").write_text("\n".join(rows))
    before = set(tmp_path.rglob("*"))
    texts, _ = read(tmp_path / "in" / "ids.jsonl", tmp_path / "corpus", id="id")
    assert len(texts) == len(evil)
    made = {path.relative_to(tmp_path).parts[0] for path in set(tmp_path.rglob("*")) - before}
    assert made == {"corpus"}
    assert not any("evil" in path.name for path in tmp_path.rglob("*"))
