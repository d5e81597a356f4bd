"""`seedcorn withdraw`: what leaves the ledger is exactly what only withdrawn texts held."""

import shutil
from dataclasses import replace

import pytest

from seedcorn.cli import main
from seedcorn.core.decisions.stopping import unique_so_far
from seedcorn.core.ledger.ledger import SKETCH_RATE
from seedcorn.core.log.entries import Decision, Withdrawn, WriterOpened
from seedcorn.core.log.layout import LOG
from seedcorn.core.recipe import (
    EngineSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    StoreSpec,
    UnitsSpec,
)
from seedcorn.core.sketch.sketch import LENGTHS
from seedcorn.storage.log.log import LogReader, open_writer, read_log
from seedcorn.storage.log.reading import read_ledger, read_state
from seedcorn.storage.log.sketches import read_delta
from seedcorn.storage.log.withdrawals import withdrawn_ids
from seedcorn.storage.log.writer import Heartbeat, this_process
from seedcorn.storage.samples.samples import read_shard
from seedcorn.storage.stores.opening import open_store
from tests.corpora.growing import grow_in_process
from tests.corpora.reading import accepted_rows, plain_shingles

SEED = ["first seed text with some words", "second seed text with other words"]


RECIPE = Recipe(
    name="withdrawable",
    generations=2,
    samples=40,
    seed=[SourceSpec(path="seed.txt", name="docs", split="line")],
    prompts=[PromptSpec(name="tell", template="{{ parent }}"), PromptSpec("ask", "?")],
    engine=EngineSpec(
        kind="simulated",
        model="writer-1",
        simulated=SimulatedSpec(words=16, vocabulary=4, near_duplicate_rate=0.4, concurrency=8),
    ),
    units=UnitsSpec(unit=5, batch=2),
)


@pytest.fixture
def seeded(tmp_path):
    """A folder with the seed; nothing is grown yet."""
    (tmp_path / "seed.txt").write_text("\n".join(SEED), encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """Two generations on disk whose short texts share many shingles."""
    folder = tmp_path_factory.mktemp("grown")
    (folder / "seed.txt").write_text("\n".join(SEED), encoding="utf-8")
    grow_in_process(RECIPE, str(folder / "corpus"), str(folder))
    return folder / "corpus"


@pytest.fixture
def corpus(grown, tmp_path):
    """A copy to withdraw from."""
    return str(shutil.copytree(grown, tmp_path / "corpus"))


def opened(corpus):
    return open_store(corpus, StoreSpec())


def expected_net(corpus, gone, generation, length):
    """Net U by plain sets: novel shingles of a generation that some sample left still holds."""
    before = plain_shingles(SEED, length)
    novel, left = set(), set()
    for row in accepted_rows(opened(corpus)):
        found = plain_shingles([row["text"]], length)
        if row["generation"] < generation:
            before |= found
        if row["generation"] == generation:
            novel |= found
        if row["sample_id"] not in gone:
            left |= found
    return len((novel - before) & left)


def withdraw(corpus, *conditions, reason="licence"):
    where = [word for condition in conditions for word in ("--where", condition)]
    return main(["withdraw", corpus, *where, "--reason", reason])


def withdrawals(corpus):
    return [entry.body for entry in read_log(opened(corpus)) if isinstance(entry.body, Withdrawn)]


def gone_from(corpus):
    store = opened(corpus)
    return withdrawn_ids(store, read_state(store))


def log_length(corpus):
    return sum(1 for _ in opened(corpus).list(LOG))


def check_books(corpus):
    """Net U of every generation and length is what plain sets say; verify stays green."""
    gone = gone_from(corpus)
    for row in read_ledger(opened(corpus)).rows():
        lost = [r for r in accepted_rows(opened(corpus)) if r["sample_id"] in gone]
        lost = [r for r in lost if r["generation"] == row.generation]
        tokens = sum(r["completion_tokens"] for r in lost)
        assert row.withdrawn == {"samples": len(lost), "tokens": tokens}
        brought = sum(r["unique_tokens"] for r in lost)
        assert row.net_unique_tokens.estimate == row.unique_tokens.estimate - brought
        for length in LENGTHS:
            net = expected_net(corpus, gone, row.generation, length)
            assert row.net_unique[length].estimate == net
            assert row.unique[length].estimate == expected_net(corpus, (), row.generation, length)
    assert main(["verify", corpus]) == 0


def dropped_rows(corpus):
    """In commit order."""
    store = opened(corpus)
    return [
        row
        for generation in read_state(store).generations.values()
        for ref in generation.dropped
        for row in read_shard(store, ref).to_pylist()
    ]


def test_copies_of_what_was_withdrawn_are_dropped_as_such_and_proved(seeded):
    corpus = str(seeded / "corpus")
    simulated = SimulatedSpec(words=30, near_duplicate_rate=0.3, duplicate_rate=0.3, concurrency=8)
    copying = replace(RECIPE, generations=1, engine=replace(RECIPE.engine, simulated=simulated))
    grow_in_process(copying, corpus, str(seeded), batches=2)
    assert withdraw(corpus, "generation=1") == 0
    gone, before = gone_from(corpus), len(dropped_rows(corpus))
    grow_in_process(copying, corpus, str(seeded))

    later = [row for row in dropped_rows(corpus)[before:] if row["outcome"] == "duplicate"]
    reasons = {row["reason"] for row in later if row["duplicate_of"] in gone}
    assert reasons
    assert reasons <= {"near:withdrawn", "exact:withdrawn"}
    others = {row["reason"] for row in later if row["duplicate_of"] not in gone}
    assert not any(reason.endswith(":withdrawn") for reason in others)
    assert main(["verify", "--deep", corpus]) == 0


def test_targets_count_what_withdrawals_left(corpus):
    before = unique_so_far(read_state(opened(corpus)))
    assert withdraw(corpus, "stratum=tell") == 0
    rows = read_ledger(opened(corpus)).rows()
    left = unique_so_far(read_state(opened(corpus)))
    assert left == sum(row.net_unique_tokens.estimate for row in rows)
    assert 0 < left < before


def test_withdraw_stratum_lowers_net_u_by_exactly_what_plain_sets_say(corpus, capsys):
    asked = {row["sample_id"] for row in accepted_rows(opened(corpus)) if row["stratum"] == "ask"}
    assert withdraw(corpus, "stratum=ask", reason="a bad prompt") == 0
    assert gone_from(corpus) == asked
    assert f"withdrew {len(asked)} samples" in capsys.readouterr().out
    [body] = withdrawals(corpus)
    assert (body.reason, body.where) == ("a bad prompt", {"stratum": "ask"})
    before = read_ledger(opened(corpus)).rows()[0]
    assert before.net_unique[8].estimate < before.unique[8].estimate
    check_books(corpus)


def test_withdraw_overlapping_twice_does_not_count_twice(corpus, capsys):
    assert withdraw(corpus, "stratum=ask") == 0
    assert withdraw(corpus, "generation=1") == 0
    first, second = withdrawals(corpus)
    assert first.ids.rows + second.ids.rows == len(gone_from(corpus))
    check_books(corpus)
    entries = log_length(corpus)
    assert withdraw(corpus, "generation=1", "stratum=ask") == 1
    assert "nothing to withdraw" in capsys.readouterr().err
    assert log_length(corpus) == entries


def test_withdraw_everything_leaves_no_net_u(corpus):
    assert withdraw(corpus, "model=writer-1") == 0
    assert [row.net_unique[8].estimate for row in read_ledger(opened(corpus)).rows()] == [0, 0]
    check_books(corpus)


def test_withdraw_at_a_lowered_sample_rate_is_sketched_at_that_rate(seeded):
    corpus = str(seeded / "corpus")
    grow_in_process(RECIPE, corpus, str(seeded), batches=2)
    reader = LogReader(opened(corpus))
    list(reader)
    who = WriterOpened("host", 1, "0")
    log = open_writer(opened(corpus), reader.head, "lowers", who, float, lambda entry: None)
    log.append(Decision(1, 2, SKETCH_RATE, {"rate": 0.5}, "a smaller history"))
    grow_in_process(RECIPE, corpus, str(seeded))
    full = read_ledger(opened(corpus)).rows()
    assert withdraw(corpus, "generation=2") == 0
    [body] = withdrawals(corpus)
    assert body.sketch is not None
    assert read_delta(opened(corpus), body.sketch).rate == 0.5
    [first, second] = read_ledger(opened(corpus)).rows()
    assert (first.net_unique[8], second.net_unique[8].estimate) == (full[0].net_unique[8], 0)
    assert main(["verify", corpus]) == 0


def test_withdraw_ids_are_alternatives_and_unknown_ones_are_told(corpus, capsys):
    one, other = (accepted_rows(opened(corpus))[position]["sample_id"] for position in (0, -1))
    assert withdraw(corpus, f"id={one}", f"id={other}", f"id={'0' * 32}") == 0
    assert gone_from(corpus) == {one, other}
    assert "0" * 32 in capsys.readouterr().out
    check_books(corpus)


def test_withdraw_parent_and_source_follow_lineage(corpus):
    rows = accepted_rows(opened(corpus))
    of_source = {
        row["sample_id"] for row in rows if any(p.startswith("docs:") for p in row["parents"])
    }
    parent = next(p for row in rows for p in row["parents"] if not p.startswith("docs:"))
    children = {row["sample_id"] for row in rows if parent in row["parents"]}
    assert withdraw(corpus, f"parent={parent}") == 0
    assert gone_from(corpus) == children
    assert withdraw(corpus, "source=docs") == 0
    assert gone_from(corpus) == children | of_source
    check_books(corpus)


def test_withdraw_that_matches_nothing_exits_1_and_writes_nothing(corpus, capsys):
    before = {info.key for info in opened(corpus).list("")}
    assert withdraw(corpus, "stratum=asked") == 1
    message = capsys.readouterr().err
    assert "stratum=asked" in message
    assert "strata: ask, tell" in message
    assert {info.key for info in opened(corpus).list("")} == before


@pytest.mark.parametrize("condition", ["colour=red", "stratum", "generation=first", "id="])
def test_withdraw_condition_that_makes_no_sense_exits_2(corpus, capsys, condition):
    assert withdraw(corpus, condition) == 2
    assert condition in capsys.readouterr().err


def test_withdraw_without_a_reason_exits_2(corpus):
    assert withdraw(corpus, "stratum=ask", reason=" ") == 2


def test_withdraw_place_without_a_corpus_exits_1(tmp_path, capsys):
    assert withdraw(str(tmp_path / "nothing"), "stratum=ask") == 1
    assert "no corpus" in capsys.readouterr().err


def test_withdraw_beside_a_living_writer_exits_75_unless_it_takes_over(corpus, capsys):
    store, entries = opened(corpus), log_length(corpus)
    alive = Heartbeat(store, this_process("a-living-writer", store.uri, 0.0), interval_s=0.05)
    alive.start()
    try:
        assert withdraw(corpus, "stratum=ask") == 75
        assert "a-living-writer" in capsys.readouterr().err
        assert log_length(corpus) == entries
        where = ["--where", "stratum=ask", "--reason", "licence"]
        assert main(["withdraw", corpus, *where, "--takeover"]) == 0
    finally:
        alive.stop()


def test_withdraw_closes_its_heartbeat_so_that_the_next_writer_starts_at_once(corpus):
    assert withdraw(corpus, "generation=1") == 0
    assert b'"closed":true' in opened(corpus).get("writer.json")
