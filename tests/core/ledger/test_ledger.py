"""The fold over hand-written logs: figures against counting, damage against its name."""

import json
from dataclasses import replace

import numpy as np
import pytest

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.identity import uint64
from seedcorn.core.ledger.ledger import Ledger, lines, to_json
from seedcorn.core.log.entries import (
    BatchCommitted,
    Decision,
    Entry,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    ObjectRef,
    SeedAdded,
    Withdrawn,
    WriterOpened,
)
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import LENGTHS, Delta, batch_delta, thin
from seedcorn.core.text.fingerprint import Shingles

STRATA = ("diary", "recipe")
ACCEPTED, DUPLICATE, REJECTED = "accepted", "duplicate", "rejected"
SEED_TEXT = [({1, 2, 3}, 0, ACCEPTED)]
FIRST = [({1, 10, 11}, 0, ACCEPTED), ({10, 12}, 1, ACCEPTED), ({10, 11}, 0, DUPLICATE)]
SECOND = [({13}, 1, ACCEPTED), (set(), 0, REJECTED)]
THIRD = [({10, 20, 21}, 1, ACCEPTED)]


def delta_of(documents, rate=1.0) -> Delta:
    rows = [np.array(sorted(uint64("w", w) for w in words), np.uint64) for words, *_ in documents]
    offsets = np.cumsum([0, *map(len, rows)])
    shingles = Shingles(np.concatenate([np.empty(0, np.uint64), *rows]), offsets)
    delta = batch_delta(
        dict.fromkeys(LENGTHS, shingles),
        np.array([outcome == ACCEPTED for *_, outcome in documents]),
        np.array([outcome != REJECTED for *_, outcome in documents]),
        np.array([stratum for _, stratum, _ in documents], np.uint8),
    )
    return thin(delta, rate)


def ref(rows: int = 0) -> ObjectRef:
    return ObjectRef("data/x.parquet", 1, "0" * 64, rows)


def batch(documents, number=0, first_index=0, generation=1, seconds=36.0) -> BatchCommitted:
    outcomes = [outcome for *_, outcome in documents]
    counts = {o: outcomes.count(o) for o in (ACCEPTED, DUPLICATE, REJECTED, "failed")}
    strata: dict[str, dict[str, int]] = {}
    for _, stratum, outcome in documents:
        row = strata.setdefault(STRATA[stratum], {"tokens": 0})
        row[outcome] = row.get(outcome, 0) + 1
        row["tokens"] += 10 * (outcome == ACCEPTED)
    names = {"duplicate:near:same": counts[DUPLICATE], "rejected:length": counts[REJECTED]}
    return BatchCommitted(
        generation=generation,
        batch=number,
        first_unit=number,
        last_unit=number,
        first_index=first_index,
        last_index=first_index + len(documents) - 1,
        ordinal=0,
        counts=counts,
        reasons={name: n for name, n in names.items() if n},
        strata=strata,
        tokens={"accepted": 10 * counts[ACCEPTED], "generated": 10 * len(documents), "prompt": 5},
        data=[ref(counts[ACCEPTED])],
        dropped=[ref(counts[DUPLICATE]), ref(counts[REJECTED])],
        sketch=ref(),
        sketch_rate=1.0,
        engine_seconds=seconds,
        containment={"shingles": 8.0, "seen": 1.0},
    )


def started(generation=1, samples=5) -> GenerationStarted:
    recipe = {"name": "tiny", "samples": samples, "prompts": [{"name": name} for name in STRATA]}
    return GenerationStarted(generation, recipe, "f", "s", {})


def finished(generation=1, reason="exhausted") -> GenerationFinished:
    return GenerationFinished(generation, reason)


def seed_sketch(sequence: int) -> Measurement:
    return Measurement("seed_sketch", {"sequence": sequence}, {}, [ref()])


SEED = SeedAdded("seed", "letters", {}, 1, 0, "f")
LOG = (
    (WriterOpened("host", 1, "0"), None),
    (SEED, None),
    (seed_sketch(1), delta_of(SEED_TEXT)),
    (started(), None),
    (batch(FIRST), delta_of(FIRST)),
    (batch(SECOND, 1, 3), delta_of(SECOND)),
    (finished(), None),
    (started(2, 1), None),
    (batch(THIRD, generation=2), delta_of(THIRD)),
)


def fold(steps, ledger=None) -> Ledger:
    ledger = ledger or Ledger()
    for body, delta in steps:
        ledger.apply(Entry(ledger.sequence + 1, "w", "0", 0.0, body), delta)
    return ledger


def changed(position, **values):
    """LOG with fields of one entry replaced, cut off behind it."""
    body, delta = LOG[position]
    return (*LOG[:position], (replace(body, **values), delta))


def test_rows_two_generations_equal_counting_by_hand():
    one, two = fold(LOG).rows()
    assert (one.generation, one.recipe) == (1, "tiny")
    assert (one.status, one.reason) == ("finished", "exhausted")
    assert (one.planned, one.committed) == (5, 5)
    assert one.counts == {ACCEPTED: 3, DUPLICATE: 1, REJECTED: 1, "failed": 0}
    assert one.duplicates == {"near:same": 1}
    assert one.reasons == {"duplicate:near:same": 1, "rejected:length": 1}
    assert one.tokens == {"accepted": 30, "generated": 50, "prompt": 10}
    assert {n: i.estimate for n, i in one.unique.items()} == {3: 4, 8: 4, 13: 4}
    assert one.unique[8].exact
    assert one.unit == "uat"
    assert one.yield_per_token == pytest.approx(4 / 30)
    assert one.engine_hours == pytest.approx(0.02)
    assert one.unique_per_engine_hour == pytest.approx(200)
    assert one.containment == {"shingles": 16, "seen": 2}
    assert (two.status, two.unique[8].estimate) == ("running", 2)


def test_strata_two_overlapping_show_their_own_part():
    diary, recipe, _, last = fold(LOG).strata()
    assert (diary.stratum, diary.counts[DUPLICATE], diary.tokens) == ("diary", 1, 10)
    assert (diary.unique[8].estimate, diary.exclusive[8].estimate) == (2, 1)
    assert (recipe.unique[8].estimate, recipe.exclusive[8].estimate) == (3, 2)
    assert (last.generation, last.unique[8].estimate, last.yield_per_token) == (2, 2, 0.2)


def test_rows_seed_added_during_a_generation_counts_from_the_next_one_on():
    late = [({11, 20}, 0, ACCEPTED)]
    steps = (*LOG[:5], (SEED, None), (seed_sketch(5), delta_of(late)), *LOG[5:])
    one, two = fold(steps).rows()
    assert one.unique[8].estimate == 4
    assert two.unique[8].estimate == 1


def test_rows_sketch_of_an_early_seed_that_comes_late_counts_from_its_seed_entry():
    steps = (*LOG[:2], *LOG[3:6], (seed_sketch(1), delta_of(SEED_TEXT)))
    assert fold(steps).rows()[0].unique[8].estimate == 4


def test_rows_seed_without_its_sketch_withholds_the_unique_count_and_says_why():
    ledger = fold((*LOG[:2], *LOG[3:6]))
    (row,) = ledger.rows()
    assert row.unique == {} == row.net_unique
    assert "entry 1 (seed letters) has no seed_sketch" in row.unknown
    assert row.counts[ACCEPTED] == 3
    assert "U unknown" in lines(ledger)[0]


def test_rows_late_seed_without_its_sketch_withholds_only_later_generations():
    one, two = fold((*LOG[:5], (SEED, None), *LOG[5:])).rows()
    assert one.unique[8].estimate == 4
    assert two.unique == {}


def test_rows_evaluation_set_needs_no_sketch():
    evaluation = (replace(SEED, role="evaluation"), None)
    assert fold((*LOG[:3], evaluation, *LOG[3:])).rows()[0].unique[8].estimate == 4


def test_rows_batch_whose_sketch_was_not_read_withholds_from_its_generation_on():
    steps = [*LOG[:8], (LOG[8][0], None)]
    one, two = fold(steps).rows()
    assert one.unique[8].estimate == 4
    assert two.unique == {}
    assert "entry 8 was not read" in two.unknown


def test_apply_seed_sketch_in_several_parts_equals_one():
    parts = [delta_of([({1, 2}, 0, ACCEPTED)]), delta_of([({3}, 0, ACCEPTED)])]
    steps = (*LOG[:2], (seed_sketch(1), iter(parts)), *LOG[3:])
    assert to_json(fold(steps)) == to_json(fold(LOG))


def test_rows_withdrawn_samples_show_both_sides():
    gone = delta_of([FIRST[0]])
    body = Withdrawn("licence", {}, {"1": {"samples": 1, "tokens": 10}}, ref(1), ref())
    ledger = fold((*LOG, (body, gone)))
    one, two = ledger.rows()
    assert one.withdrawn == {"samples": 1, "tokens": 10}
    assert one.unique[8].estimate == 4
    assert one.net_unique[8].estimate == 3
    assert two.net_unique == two.unique
    assert "1 sample withdrawn, net U = 3" in lines(ledger)[0]


def test_rows_withdrawal_without_a_sketch_withholds_only_the_net_count():
    body = Withdrawn("licence", {}, {"1": {"samples": 1, "tokens": 10}}, ref(1))
    one, _ = fold((*LOG, (body, None))).rows()
    assert one.net_unique == {}
    assert one.unique[8].estimate == 4


def test_apply_resumed_from_a_snapshot_equals_the_whole_fold():
    whole = fold(LOG)
    history = History.restore(fold(LOG[:6]).history.snapshot())
    resumed = Ledger(history=history, covered=5)
    fold([(body, None) for body, _ in LOG[:6]], resumed)
    assert to_json(fold(LOG[6:], resumed)) == to_json(whole)


def test_apply_sketch_rate_decision_lowers_the_rate_of_all_that_follows():
    decision = Decision(1, 5, "sketch_rate", {"rate": 0.25}, "too many")
    ledger = fold((*LOG[:4], (decision, None), *LOG[4:]))
    assert ledger.history.rate == 0.25
    row = ledger.rows()[0]
    assert row.unique[8].low <= 4 <= row.unique[8].high
    assert not row.unique[8].exact
    assert "±" in lines(ledger)[0] or "at most" in lines(ledger)[0]


def test_to_json_other_times_and_restarts_differ_only_in_measured():
    slow = [
        (replace(body, engine_seconds=99.0) if isinstance(body, BatchCommitted) else body, delta)
        for body, delta in LOG
    ]
    slow[6:6] = [(WriterOpened("other", 2, "0"), None)]
    one, other = to_json(fold(LOG)), to_json(fold(slow))
    assert one.pop("measured") != other.pop("measured")
    assert json.dumps(one) == json.dumps(other) == json.dumps(one, sort_keys=True)


def test_to_json_batches_cut_differently_is_equal():
    cut = [
        *LOG[:4],
        (batch(FIRST[:1]), delta_of(FIRST[:1])),
        (batch(FIRST[1:] + SECOND, 1, 1), delta_of(FIRST[1:] + SECOND)),
        *LOG[6:],
    ]
    one, other = to_json(fold(LOG)), to_json(fold(cut))
    for value in (one, other):
        value["generations"][0]["tokens"].pop("prompt")
        for generation in [*value["generations"], *value["measured"]]:
            generation.pop("curve")
    assert one == other


def test_lines_one_per_generation_reads_like_the_design():
    one, two = lines(fold(LOG))
    assert one == (
        "Look. gen 1: 50 tokens, accepted 60 %, U = 4 uat (exact), contained 12.5 %, 200 uat/engine-hour"
    )
    assert two.endswith("running, 1 of 1 sample")


FIRST_COUNTS = dict(LOG[4][0].counts)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"last_index": 3}, "planned range"),
        ({"counts": FIRST_COUNTS | {ACCEPTED: 1, "failed": 1}}, "rows of data shards"),
        ({"counts": FIRST_COUNTS | {ACCEPTED: 1, "lost": 1}}, "known outcomes"),
        ({"data": [ref(3)]}, "rows of data shards is 3, expected 2"),
        ({"dropped": []}, "rows of dropped shards is 0, expected 1"),
        ({"reasons": {}}, "reasons of duplicate"),
        ({"strata": {"diary": {ACCEPTED: 2}}}, "duplicate over strata"),
        ({"strata": {"poem": {ACCEPTED: 2, DUPLICATE: 1, "tokens": 20}}}, "against the recipe"),
        ({"tokens": {"accepted": 21}}, "tokens over strata is 20, expected 21"),
        ({"batch": 1}, "batch is 1, expected 0"),
        ({"first_unit": 1, "last_unit": 1}, "first_unit is 1"),
        ({"first_index": 1, "last_index": 3}, "first_index is 1"),
        ({"generation": 2}, "generation 2, which has not started"),
        ({"last_unit": -1}, "covers units 0 to -1"),
    ],
)
def test_apply_batch_that_does_not_balance_is_named(values, named):
    with pytest.raises(CorruptCorpus, match=r"log entry 4 ") as caught:
        fold(changed(4, **values))
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ([*LOG[:5], (batch(SECOND, 2, 3), None)], "log entry 5 .* batch is 2, expected 1"),
        ([*LOG[:5], LOG[6]], "log entry 5 .* exhausted after 3 of 5"),
        ([*LOG[:7], LOG[5]], "log entry 7 .* status is finished"),
        ([*LOG[:7], LOG[6]], "log entry 7 finishes generation 1 for a second time"),
        ([*LOG[:5], (started(2), None)], r"log entry 5 .* the last one is 1 \(running\)"),
        ([(started(2), None)], "log entry 0 .* the last one is none"),
        ([LOG[0], (seed_sketch(0), None)], "log entry 1 is the seed_sketch of entry 0"),
        ([(GenerationStarted(1, {}, "", "", {}), None)], "log entry 0 .* no resolved recipe"),
        (changed(4, last_index=9), "log entry 4 .* of a generation of 5"),
        (
            [*LOG[:4], (LOG[4][0], delta_of([({1}, 2, ACCEPTED)]))],
            "sketch of log entry 4 counts stratum 2",
        ),
        (
            [*LOG, (Withdrawn("x", {}, {"1": {"samples": 4}}, ref()), None)],
            "log entry 9 .* only 3 were accepted",
        ),
        (
            [*LOG, (Withdrawn("x", {}, {}, ref(), ref()), delta_of([({99}, 0, ACCEPTED)]))],
            "log entry 9 withdraws 3 shingles",
        ),
    ],
)
def test_apply_entry_that_contradicts_the_log_is_named(steps, named):
    with pytest.raises(CorruptCorpus, match=named):
        fold(steps)


def test_apply_entry_out_of_sequence_is_refused():
    ledger = fold(LOG[:2])
    with pytest.raises(CorruptCorpus, match="log entry 3 follows entry 1"):
        ledger.apply(Entry(3, "w", "0", 0.0, LOG[3][0]))
