"""Ids name rows: repeated ones and mistyped keys are refused, and no row number reads as an id."""

import json

import pyarrow.parquet as pq
import pytest

from seedcorn.config import load_recipe
from tests.cases.running import GARDENS, seedcorn, write_recipe
from tests.corpora.growing import grow_in_process

COPYING = {"seed_copy_rate": 0.5, "words": 20, "concurrency": 8}
"""An engine that repeats the seed now and then."""


@pytest.fixture
def recipe_of(tmp_path):
    """A recipe over JSONL rows with these ids (None: none) and the texts of the gardens."""

    def written(ids, key="id", more=b"", **changes):
        rows = [
            {"text": text} | ({} if own is None else {"id": own})
            for text, own in zip(GARDENS, ids, strict=False)
        ]
        data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (tmp_path / "rows.jsonl").write_bytes(data.encode() + more)
        seed = [{"name": "plots", "path": "rows.jsonl", "id": key}]
        return write_recipe(tmp_path, seed=seed, **changes)

    return written


def parents_of(corpus):
    """Every parent that any row of a corpus names."""
    rows = pq.read_table(corpus / "data", columns=["parents"]).to_pylist()
    if (corpus / "dropped").exists():
        rows += pq.read_table(corpus / "dropped", columns=["parents"]).to_pylist()
    return {parent for row in rows for parent in row["parents"]}


@pytest.mark.parametrize("command", ["plan", "grow"])
@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["north", "south", "north"], "id 'north' stands in rows 0 and 2"),
        (["12", "13", 12], "id '12' stands in rows 0 and 2"),
        ([5, 6, 6, 5], "id '6' stands in rows 1 and 2"),
    ],
)
def test_ids_that_repeat_are_refused_with_their_rows(command, ids, said, recipe_of, capsys):
    assert seedcorn(command, recipe_of(ids)) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("command", ["plan", "grow"])
def test_key_that_no_row_has_is_refused_with_the_keys_there(command, recipe_of, tmp_path, capsys):
    assert seedcorn(command, recipe_of([1, 2, 3], key="idd")) == 2
    said = capsys.readouterr().err
    assert "no row has the key 'idd'; the keys there are text, id (did you mean 'id'?)" in said
    assert not (tmp_path / "corpus" / "log").exists()


def test_ids_stand_as_written_and_numbers_of_rows_look_like_none_of_them(
    recipe_of, tmp_path, capsys
):
    ids = ["7", 8, "a:b", "x/y", " lead", "\u00e9", "e\u0301", "#10", "#", "##", "\u202eabc", None]
    assert seedcorn("grow", recipe_of(ids, samples=96)) == 0
    assert parents_of(tmp_path / "corpus") == {
        *("plots:7", "plots:8", "plots:a:b", "plots:x/y", "plots: lead", "plots:\u00e9"),
        *("plots:e\u0301", "plots:##10", "plots:##", "plots:###", "plots:\u202eabc", "plots:#11"),
    }
    assert "1 row without an id" in capsys.readouterr().err
    assert seedcorn("verify", "--deep", tmp_path / "corpus") == 0


def test_lines_that_are_no_text_are_named_by_number_and_counted(recipe_of, tmp_path, capsys):
    bad = b"".join(b'{"id": "bad%d", "text": "caf\xe9"}\n' % n for n in range(3))
    recipe = recipe_of(["a", "b"], more=bad, samples=40)
    assert seedcorn("plan", recipe) == 0
    assert "3 of 5 rows of rows.jsonl cannot be used: 3 not UTF-8" in capsys.readouterr().out
    assert seedcorn("grow", recipe) == 0
    rows = pq.read_table(tmp_path / "corpus" / "dropped").to_pylist()
    said = {row["detail"] for row in rows if row["reason"] == "seed_row"}
    assert said == {f"plots:#{row}: not UTF-8" for row in (2, 3, 4)}


def test_witness_in_the_seed_is_named_by_its_number_and_shown(recipe_of, tmp_path, capsys):
    changes = {"engine": {"kind": "simulated", "simulated": COPYING}}
    assert seedcorn("grow", recipe_of(range(100, 120), samples=60, **changes)) == 0
    rows = pq.read_table(tmp_path / "corpus" / "dropped").to_pylist()
    witnesses = {row["duplicate_of"] for row in rows if row["reason"].endswith(":seed")}
    assert witnesses
    assert witnesses <= {f"plots:#{row}" for row in range(20)}
    assert seedcorn("verify", "--deep", tmp_path / "corpus") == 0
    capsys.readouterr()
    assert seedcorn("show", tmp_path / "corpus") == 0
    assert "In March the gardener of plot" in capsys.readouterr().out


def test_corpus_of_the_first_rule_goes_on_under_it(recipe_of, tmp_path):
    recipe = recipe_of(["north", "south", None, "4"], samples=48)
    old = ("seed.0.path=rows*.jsonl", "seed.0.grows=true", "parents.previous=0")
    loaded = load_recipe(str(recipe), old)
    grow_in_process(loaded.recipe, loaded.recipe.corpus, loaded.base, rules={}, batches=1)
    assert seedcorn("grow", recipe, *old) == 0
    first = {"plots:north", "plots:south", "plots:2", "plots:4"}
    assert parents_of(tmp_path / "corpus") == first
    again = [{"id": "east", "text": text} for text in GARDENS[10:12]]
    (tmp_path / "rows-2.jsonl").write_text("\n".join(map(json.dumps, again)))
    more = ("nightly.settle_s=0", "generations=2")
    assert seedcorn("grow", recipe, *old, *more) == 0
    assert parents_of(tmp_path / "corpus") == first | {"plots+1:east"}
    assert seedcorn("verify", "--deep", tmp_path / "corpus") == 0
