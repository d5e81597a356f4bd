"""A generation that is given up: nothing of it counts, nothing of it is lost, and the corpus grows on."""

import json
import shutil

import pyarrow.parquet as pq
import pytest

from seedcorn.cli import main
from seedcorn.config import load_recipe
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.recipe import StoreSpec
from seedcorn.runtime.keeper.index_client import LocalTransport, PartitionedIndex
from seedcorn.runtime.keeper.keeper import Keeper
from seedcorn.storage.log.checkpoints import checkpoint_sequences
from seedcorn.storage.log.log import LogReader, read_log
from seedcorn.storage.log.reading import read_ledger, read_state
from seedcorn.storage.log.writer import Heartbeat, this_process
from seedcorn.storage.stores.opening import open_store
from tests.cases.running import write_recipe
from tests.corpora.growing import grow_in_process
from tests.servers.endpoint import serving

CUT = {"unit": 4, "batch": 1}


@pytest.fixture(scope="module")
def endpoint():
    """Answers the same prompt with the same text, whichever generation asks."""
    with serving() as one:
        yield one


@pytest.fixture(scope="module")
def half_grown(endpoint, tmp_path_factory):
    """(recipe path, corpus) whose first generation has two of six batches, staged ones beside."""
    folder = tmp_path_factory.mktemp("half")
    openai = {"base_url": f"{endpoint.url}/v1", "send_seed": False, "max_concurrency": 2}
    engine = {"kind": "openai", "model": "writer", "sampling": {"max_tokens": 64}, "openai": openai}
    recipe = write_recipe(folder, engine=engine, units=CUT)
    loaded = load_recipe(str(recipe))
    grow_in_process(loaded.recipe, loaded.recipe.corpus, loaded.base, batches=2)
    return recipe, folder / "corpus"


@pytest.fixture
def half(half_grown, tmp_path):
    """A copy of it, with a recipe that names the copy."""
    recipe, corpus = half_grown
    shutil.copytree(corpus, tmp_path / "corpus")
    return recipe, tmp_path / "corpus"


def grow(half, *overrides):
    recipe, corpus = half
    return main(["grow", str(recipe), f"corpus={corpus}", *overrides])


def opened(corpus):
    return open_store(str(corpus), StoreSpec())


def printed(capsys, *words):
    capsys.readouterr()
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr()


def test_abandoned_batches_are_no_history_for_what_is_grown_again(half):
    _, corpus = half
    assert main(["abandon", str(corpus), "--reason", "wrong template"]) == 0
    assert grow(half) == 0
    state = read_state(opened(corpus))
    again = state.standing[2]
    assert state.abandoned[1].accepted == 8
    # The endpoint answers as before: were the abandoned samples known, these would repeat them.
    assert (again.accepted, again.finished) == (24, "exhausted")
    (row,) = read_ledger(opened(corpus)).rows()
    assert row.duplicates == {}
    assert row.unique[8].estimate > 24 * 20
    assert main(["verify", str(corpus), "--deep"]) == 0


def test_numbers_and_ordinals_are_not_used_again(half):
    _, corpus = half
    before = read_state(opened(corpus)).next_ordinal
    assert main(["abandon", str(corpus)]) == 0
    assert grow(half) == 0
    bodies = [entry.body for entry in read_log(opened(corpus))]
    commits = [body for body in bodies if isinstance(body, BatchCommitted)]
    assert [body.generation for body in commits] == [1, 1] + [2] * 6
    assert commits[2].ordinal == before


def test_generations_counts_standing_ones_and_parents_are_of_standing_ones(half):
    _, corpus = half
    assert main(["abandon", str(corpus)]) == 0
    changes = ("generations=2", "parents.seed=0", "parents.previous=1")
    assert grow(half, *changes) == 0
    state = read_state(opened(corpus))
    assert list(state.standing) == [2, 3]
    kin = {2: set(), 3: set()}
    ids = {2: set(), 3: set()}
    for number, one in state.standing.items():
        for ref in [*one.shards, *one.dropped]:
            table = pq.read_table(corpus / ref.key)
            kin[number] |= {name for names in table["parents"].to_pylist() for name in names}
            ids[number] |= set(table["sample_id"].to_pylist())
    assert all(name.startswith("plots:") for name in kin[2])
    assert kin[3]
    assert kin[3] <= ids[2]
    assert main(["verify", str(corpus), "--deep"]) == 0


def test_generation_after_two_abandoned_ones_follows_the_last_that_stands(half, capsys):
    _, corpus = half
    assert main(["abandon", str(corpus)]) == 0
    assert grow(half) == 0
    loaded = load_recipe(str(half[0]), [f"corpus={corpus}", "generations=2"])
    grow_in_process(loaded.recipe, str(corpus), loaded.base, batches=3)
    assert main(["abandon", str(corpus)]) == 0
    assert grow(half, "generations=3", "parents.previous=1") == 0
    state = read_state(opened(corpus))
    assert (list(state.abandoned), list(state.standing)) == ([1, 3], [2, 4, 5])
    assert main(["verify", str(corpus), "--deep"]) == 0
    document = json.loads(printed(capsys, "ledger", corpus, "--json").out)
    assert [one["generation"] for one in document["generations"]] == [2, 4, 5]
    assert [one["generation"] for one in document["abandoned"]] == [1, 3]


@pytest.mark.parametrize("checkpointed", [False, True])
def test_checkpoint_past_the_start_of_an_abandoned_generation_is_not_used(half, checkpointed):
    recipe, corpus = half
    loaded = load_recipe(str(recipe), [f"corpus={corpus}"]).recipe
    store, parts = opened(corpus), loaded.dedup.actors
    if checkpointed:
        keeper = Keeper(store, PartitionedIndex(LocalTransport(parts)), loaded, parts)
        reader = LogReader(store)
        keeper.load(len(list(reader)))
        assert keeper.checkpoint(reader.head.previous) == checkpoint_sequences(store)[0]
    assert main(["abandon", str(corpus)]) == 0
    # The same prompts again, hence the same texts: its index would call eight of them duplicates.
    assert grow(half) == 0
    (row,) = read_ledger(store).rows()
    assert row.counts["accepted"] == 24
    assert main(["verify", str(corpus), "--deep"]) == 0


def test_shards_stay_and_every_reader_of_the_log_skips_them(half, tmp_path, capsys):
    _, corpus = half
    assert main(["abandon", str(corpus), "--reason", "a test"]) == 0
    assert grow(half) == 0
    shards = sorted(corpus.glob("data/gen-0001/*.parquet"))
    assert shards
    files = printed(capsys, "files", corpus)
    assert "gen-0001" not in files.out
    assert "generation 1 was abandoned: its 2 shards not listed" in files.err
    assert printed(capsys, "gc", corpus).out.startswith("0 objects deleted")
    assert sorted(corpus.glob("data/gen-0001/*.parquet")) == shards
    assert main(["export", str(corpus), str(tmp_path / "out")]) == 0
    tables = [pq.read_table(path) for path in (tmp_path / "out").rglob("*.parquet")]
    assert {n for table in tables for n in table["generation"].to_pylist()} == {2}
    assert sum(table.num_rows for table in tables) == 24
    assert "gen 1: abandoned after 8 of 24 samples" in printed(capsys, "ledger", corpus).out
    page = tmp_path / "report.html"
    assert main(["report", str(corpus), "-o", str(page)]) == 0
    assert "abandoned after 8 of 24 samples, none of which counts: a test" in page.read_text()
    said = printed(capsys, "verify", corpus).out
    assert "generation 1: its 2 shards as the log has them, and nothing counts them" in said


def test_export_made_before_loses_what_is_abandoned(half, tmp_path):
    _, corpus = half
    out = tmp_path / "out"
    assert main(["export", str(corpus), str(out)]) == 0
    assert sum(pq.read_table(path).num_rows for path in out.rglob("*.parquet")) == 8
    assert main(["abandon", str(corpus)]) == 0
    assert main(["export", str(corpus), str(out)]) == 0
    named = json.loads((out / "export.json").read_text())
    assert not [shard for one in named["increments"] for shard in one["shards"]]
    assert grow(half) == 0
    assert main(["export", str(corpus), str(out)]) == 0
    rows = [pq.read_table(path)["generation"].to_pylist() for path in out.rglob("*.parquet")]
    assert sorted(number for part in rows for number in part) == [2] * 24


def test_damaged_shard_of_an_abandoned_generation_is_still_found(half, capsys):
    _, corpus = half
    assert main(["abandon", str(corpus)]) == 0
    shard = next(iter(sorted(corpus.glob("data/gen-0001/*.parquet"))))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    capsys.readouterr()
    assert main(["verify", str(corpus)]) != 0
    assert shard.name in capsys.readouterr().out


def test_gc_takes_what_an_abandoned_generation_staged(half):
    _, corpus = half
    staged = corpus / "staging" / "gen-0001" / "unit-00000005-0123456789abcdef.parquet"
    staged.parent.mkdir(parents=True, exist_ok=True)
    staged.write_bytes(b"text")
    assert main(["gc", str(corpus)]) == 0
    assert staged.exists()
    assert main(["abandon", str(corpus)]) == 0
    assert main(["gc", str(corpus)]) == 0
    assert not staged.exists()


def test_withdrawing_and_auditing_leave_an_abandoned_generation_alone(half, capsys):
    _, corpus = half
    assert main(["abandon", str(corpus)]) == 0
    words = ["withdraw", str(corpus), "--where", "generation=1", "--reason", "r"]
    assert main(words) == 1
    assert "nothing to withdraw" in capsys.readouterr().err
    assert main(["show", str(corpus), "--generation", "1"]) == 1
    assert "generation 1 was abandoned" in capsys.readouterr().err


def test_abandon_beside_a_live_writer_is_refused_and_fences_it_only_when_told(half, capsys):
    _, corpus = half
    store = opened(corpus)
    heart = Heartbeat(store, this_process("living", store.uri, 0.0), 0.05)
    heart.start()
    try:
        assert main(["abandon", str(corpus)]) == 75
        assert "is being grown by writer living" in capsys.readouterr().err
        assert not read_state(store).abandoned
        assert main(["abandon", str(corpus), "--takeover"]) == 0
        assert list(read_state(store).abandoned) == [1]
    finally:
        heart.stop()


def test_abandon_without_an_unfinished_generation_says_what_there_is(grown, half, tmp_path, capsys):
    _, corpus = half
    assert main(["abandon", str(tmp_path / "nothing")]) == 1
    assert "holds no corpus" in capsys.readouterr().err
    shutil.copytree(grown[1], tmp_path / "finished")
    assert main(["abandon", str(tmp_path / "finished")]) == 1
    assert "generation 2 is finished; `seedcorn withdraw` takes back" in capsys.readouterr().err
    assert main(["abandon", str(corpus)]) == 0
    assert main(["abandon", str(corpus)]) == 1
    assert "generation 1 is abandoned already" in capsys.readouterr().err


def test_changed_recipe_beside_committed_batches_shows_what_changed(half, capsys):
    _, corpus = half
    capsys.readouterr()
    assert grow(half, "engine.sampling.max_tokens=65") == 2
    said = capsys.readouterr().err
    assert "engine.sampling.max_tokens: 64 → 65" in said
    assert f"seedcorn abandon {corpus}" in said
    assert main(["abandon", str(corpus)]) == 0
    assert grow(half, "engine.sampling.max_tokens=65") == 0
    assert list(read_state(opened(corpus)).standing) == [2]
