"""`seedcorn export`: the rows the ledger counts, shuffled as a whole, added to, never half "
"there."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from seedcorn.cli import main
from seedcorn.config import load_recipe
from seedcorn.core.identity import sha256_hex
from tests.commands.conftest import write_recipe
from tests.corpora.growing import grow_in_process

SMALL = ["--shard-mb", "0.004"]


def run(corpus, target, *words):
    assert main(["export", str(corpus), str(target), *words]) == 0
    return manifest(target)


def manifest(target):
    return json.loads((target / "export.json").read_text())


def shards(target):
    return [s["key"] for i in manifest(target)["increments"] for s in i["shards"]]


def rows(target):
    return [row for key in shards(target) for row in pq.read_table(target / key).to_pylist()]


def ledger(corpus, capsys):
    capsys.readouterr()
    assert main(["ledger", str(corpus), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def accepted(corpus, capsys):
    return {r["generation"]: r["counts"]["accepted"] for r in ledger(corpus, capsys)["generations"]}


def plan_order(corpus):
    """Ids of accepted samples in plan order, from the corpus' own shards."""
    found = []
    for path in sorted((corpus / "data").glob("*/*.parquet")):
        found += pq.read_table(path, columns=["sample_id"])["sample_id"].to_pylist()
    return found


@pytest.fixture
def target(tmp_path):
    return tmp_path / "export"


def test_datasets_loads_exactly_the_rows_the_ledger_says(
    grown, target, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    told = run(grown[1], target, *SMALL)
    files = [str(target / key) for key in shards(target)]
    assert len(files) > 2
    cache = str(tmp_path / "cache")
    loaded = load_dataset("parquet", data_files=files, split="train", cache_dir=cache)
    counts = accepted(grown[1], capsys)
    assert len(loaded) == told["rows"] == sum(counts.values())
    assert {g: loaded["generation"].count(g) for g in counts} == counts
    assert loaded.column_names == ["id", "text", "generation", "stratum", "parents", "model"]
    assert len(set(loaded["id"])) == len(loaded)
    by_card = load_dataset(str(target), split="train", cache_dir=cache)
    assert by_card["id"][:] == loaded["id"][:]


def test_texts_are_those_of_the_corpus(grown, target):
    run(grown[1], target)
    original = (
        pq.read_table(f"{grown[1]}/data").select(["sample_id", "text", "parents"]).to_pylist()
    )
    expected = {row["sample_id"]: (row["text"], row["parents"]) for row in original}
    assert {row["id"]: (row["text"], row["parents"]) for row in rows(target)} == expected


def test_same_seed_gives_the_same_bytes_and_another_seed_another_order(grown, tmp_path):
    one, two, other = (tmp_path / name for name in ("one", "two", "other"))
    run(grown[1], one, *SMALL)
    run(grown[1], two, *SMALL)
    run(grown[1], other, *SMALL, "--seed", "1")
    files = sorted(path.relative_to(one) for path in one.rglob("*.*") if path.is_file())
    assert [(one / f).read_bytes() for f in files] == [(two / f).read_bytes() for f in files]
    ids, others = ([row["id"] for row in rows(place)] for place in (one, other))
    assert set(ids) == set(others)
    assert ids != others


def test_shuffle_is_over_the_whole_corpus_not_inside_its_shards(grown, target):
    run(grown[1], target, *SMALL)
    place = {name: number for number, name in enumerate(plan_order_path(grown[1]))}
    for key in shards(target):
        generations = set(pq.read_table(target / key)["generation"].to_pylist())
        assert generations == {1, 2}
    found = [place[row["id"]] for row in rows(target)]
    moved = sum(abs(new - old) for new, old in enumerate(found)) / len(found)
    assert abs(moved / len(found) - 1 / 3) < 0.12


def plan_order_path(corpus):
    from pathlib import Path

    return plan_order(Path(corpus))


def test_no_shuffle_keeps_the_plans_order(grown, target):
    run(grown[1], target, *SMALL, "--no-shuffle")
    assert [row["id"] for row in rows(target)] == plan_order_path(grown[1])


def test_manifest_names_every_shard_with_its_hash_and_rows(grown, target):
    told = run(grown[1], target, *SMALL)
    named = [shard for part in told["increments"] for shard in part["shards"]]
    assert sum(shard["rows"] for shard in named) == told["rows"]
    for shard in named:
        data = (target / shard["key"]).read_bytes()
        assert (len(data), sha256_hex(data)) == (shard["bytes"], shard["sha256"])
        assert pq.read_metadata(target / shard["key"]).num_rows == shard["rows"]
    assert sorted(s["key"] for s in named) == sorted(
        path.relative_to(target).as_posix() for path in target.glob("data/*")
    )
    for key, sha256 in told["objects"].items():
        assert sha256_hex((target / key).read_bytes()) == sha256


def test_filters_and_weights_count_exactly(grown, target, capsys):
    strata = {
        (row["generation"], row["stratum"]): row["counts"]["accepted"]
        for row in ledger(grown[1], capsys)["strata"]
    }
    words = ["--weight", "stratum:invent=2.5", "--weight", "generation:2=.4", "--generation", "2"]
    told = run(grown[1], target, *words, "--generation", "1")
    expected = {
        (g, name): int(count * (2.5 if name == "invent" else 1) * (0.4 if g == 2 else 1) + 0.5)
        for (g, name), count in strata.items()
    }
    found = {}
    for row in rows(target):
        key = (row["generation"], row["stratum"])
        found[key] = found.get(key, 0) + 1
    assert found == {key: count for key, count in expected.items() if count}
    assert told["rows"] == sum(expected.values())
    pairs = [(row["id"], row["copy"]) for row in rows(target)]
    assert len(set(pairs)) == len(pairs)
    once = [row["copy"] for row in rows(target) if row["generation"] == 2]
    assert once == [0] * len(once)
    out = told["increments"][0]["left_out"]
    assert out["not_drawn"] == sum(strata.values()) - told["increments"][0]["samples"]


def test_stratum_filter_leaves_the_rest_out_and_says_so(grown, target, capsys):
    told = run(grown[1], target, "--stratum", "retell", "--columns", "text,model_revision,axes")
    assert {row["stratum"] for row in rows(target)} == {"retell"}
    assert told["columns"] == ["id", "text", "generation", "stratum", "model_revision", "axes"]
    total = sum(accepted(grown[1], capsys).values())
    assert told["increments"][0]["left_out"]["filtered"] == total - told["rows"] > 0


def test_other_options_are_refused_by_name(grown, target, capsys):
    run(grown[1], target)
    before = (target / "export.json").read_bytes()
    assert main(["export", grown[1], str(target), "--seed", "5", "--no-shuffle"]) == 2
    told = capsys.readouterr().err
    assert "other options: seed: there 0, here 5; shuffle: there True, here False" in told
    assert (target / "export.json").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--stratum", "retold"], "no stratum retold; it has invent, retell"),
        (["--generation", "7"], "no generation 7; it has 1, 2"),
        (["--weight", "stratum:x=2"], "no stratum x"),
        (["--weight", "generation:1=2", "--weight", "generation:1=3"], "generation 1 has two"),
        (["--weight", "retell=2"], "must read stratum:NAME=WEIGHT"),
        (["--columns", "text,keys"], "no column keys"),
    ],
)
def test_wrong_choice_is_explained_and_writes_nothing(grown, target, capsys, words, message):
    assert main(["export", grown[1], str(target), *words]) == 2
    assert message in capsys.readouterr().err
    assert not target.exists()


def test_target_in_the_corpus_or_that_is_one_is_refused(corpus, tmp_path, capsys):
    assert main(["export", str(corpus), str(corpus / "export")]) == 2
    assert "lies inside the other" in capsys.readouterr().err
    shutil.copytree(corpus, tmp_path / "other")
    assert main(["export", str(corpus), str(tmp_path / "other")]) == 2
    assert "is a corpus; an export needs a place of its own" in capsys.readouterr().err


def test_card_of_another_hand_is_kept(grown, target, capsys):
    target.mkdir()
    (target / "README.md").write_text("# Mine\n")
    assert main(["export", grown[1], str(target)]) == 2
    assert "was not written by seedcorn" in capsys.readouterr().err
    assert [path.name for path in target.iterdir()] == ["README.md"]
    run(grown[1], target, "--replace-card")


def test_grown_corpus_adds_shards_and_keeps_those_there(tmp_path, target, capsys):
    path = write_recipe(tmp_path, generations=1)
    grow(path)
    corpus = tmp_path / "corpus"
    run(corpus, target, *SMALL, "--license", "mit", "--name", "lakes")
    first, kept = shards(target), rows(target)
    grow(write_recipe(tmp_path, generations=2))
    told = run(corpus, target, *SMALL)
    assert shards(target)[: len(first)] == first
    assert rows(target)[: len(kept)] == kept
    assert [part["start"] for part in told["increments"]] == [0, told["increments"][0]["stop"]]
    assert {row["generation"] for row in rows(target)[len(kept) :]} == {2}
    assert sorted(row["id"] for row in rows(target)) == sorted(plan_order(corpus))
    assert told["rows"] == sum(accepted(corpus, capsys).values())
    assert (told["about"]["license"], told["about"]["name"]) == ("mit", "lakes")
    run(corpus, target, *SMALL)
    assert "nothing new" in capsys.readouterr().out


def grow(path):
    loaded = load_recipe(path)
    grow_in_process(loaded.recipe, loaded.recipe.corpus, loaded.base)


def test_export_of_another_corpus_is_refused(tmp_path, grown, target, capsys):
    run(grown[1], target)
    grow(write_recipe(tmp_path, samples=40))
    assert main(["export", str(tmp_path / "corpus"), str(target)]) == 2
    assert "export of another corpus" in capsys.readouterr().err


def test_shards_of_runs_that_died_are_told_and_deleted_only_when_asked(grown, target, capsys):
    run(grown[1], target)
    stray, other = (target / "data" / name for name in (f"part-0001-00000-{16 * 'a'}.parquet", "b"))
    stray.write_bytes(b"half")
    other.write_bytes(b"mine")
    run(grown[1], target)
    assert "1 shard of runs that died" in capsys.readouterr().out
    assert stray.exists()
    run(grown[1], target, "--clean")
    assert "deleted 1 shard" in capsys.readouterr().out
    assert not stray.exists()
    assert other.read_bytes() == b"mine"
    assert len(rows(target)) == manifest(target)["rows"]


def test_message_says_what_was_written_and_what_was_left_out(grown, target, capsys):
    told = run(grown[1], target)
    out = capsys.readouterr().out
    assert f"added {told['rows']} rows in 1 shard to {target}" in out
    counts = {"duplicate": 0, "rejected": 0, "failed": 0}
    for row in ledger(grown[1], capsys)["generations"]:
        counts = {key: value + row["counts"][key] for key, value in counts.items()}
    never = ", ".join(f"{value} {key}" for key, value in counts.items())
    assert (
        "left out: 0 withdrawn, 0 by filters, 0 not drawn by mixture weights; never accepted: "
        f"{never}" in out
    )
    assert "give --license NAME" in out


@pytest.mark.s3
def test_export_to_an_s3_bucket_is_the_local_one(grown, tmp_path, seaweedfs_server, s3_uri, capsys):
    import s3fs

    uri, local = s3_uri(), tmp_path / "local"
    run(grown[1], local, *SMALL, "--url", "https://a.example/x")
    words = [*SMALL, "--url", "https://a.example/x", f"target.endpoint={seaweedfs_server.endpoint}"]
    assert main(["export", grown[1], uri, *words]) == 0
    files = s3fs.S3FileSystem(endpoint_url=seaweedfs_server.endpoint)
    there = {path.removeprefix(uri.removeprefix("s3://") + "/") for path in files.find(uri)}
    here = {p.relative_to(local).as_posix() for p in local.rglob("*.*") if p.is_file()}
    assert there == here
    for name in here:
        assert files.cat(f"{uri}/{name}") == (local / name).read_bytes()
    capsys.readouterr()
    assert main(["export", grown[1], uri, *words]) == 0
    assert "nothing new" in capsys.readouterr().out
