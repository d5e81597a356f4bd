"""What the next batches would add: by stratum, for the governed batch, and after a restart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.forecast.prospects import (
    ALL,
    SUMMED,
    Amount,
    Prospects,
    exclusive_shares,
    forecast_entry,
    governed,
)
from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.log.state import GenerationState
from seedcorn.core.scheduling.leasing import Cut
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE, batch_delta
from seedcorn.core.text.shingles import Shingles
from tests.core.forecast import shingled
from tests.core.forecast.shingled import Document, delta_of

STRATA = ("a", "b", "c")


def committed(number, documents, first):
    strata = {name: {"accepted": 0, "duplicate": 0, "rejected": 0} for name in STRATA}
    for document in documents:
        strata[STRATA[document.stratum]][document.outcome] += 1
    counts = {
        outcome: sum(row[outcome] for row in strata.values())
        for outcome in ("accepted", "duplicate", "rejected")
    }
    for row in strata.values():
        row["generated"] = 7 * sum(row.values())
    return BatchCommitted(
        generation=1,
        batch=number,
        first_unit=number,
        last_unit=number,
        first_index=first,
        last_index=first + len(documents) - 1,
        ordinal=0,
        counts=counts,
        reasons={},
        strata=strata,
        tokens={"generated": 7 * len(documents)},
        data=[],
        dropped=[],
        sketch=None,
        sketch_rate=1.0,
        engine_seconds=0.0,
    )


class Line:
    """Batches folded as the ledger folds them."""

    def __init__(self, strata=STRATA):
        self.history, self.prospects = History(), Prospects(1, strata)
        self.number = self.first = 0

    def add(self, documents):
        delta = delta_of(documents, self.history.rate)
        self.history.add(delta, 1)
        batch = committed(self.number, documents, self.first)
        self.prospects.add(batch, delta, self.history)
        self.number, self.first = self.number + 1, self.first + len(documents)
        return self


def same(left, right):
    for name in (ALL, *STRATA):
        one, two = left.evidence(name), right.evidence(name)
        assert np.array_equal(one.occurrences, two.occurrences)
        for figure in ("samples", "q_sum", "q_squares", "rate", "curve", "incidences"):
            assert getattr(one, figure) == getattr(two, figure)
        assert (left.samples(name), left.tokens(name)) == (right.samples(name), right.tokens(name))


@given(
    batches=st.lists(shingled.documents, min_size=1, max_size=5),
    cut=st.integers(0, 5),
    thin=st.integers(0, 5),
)
@settings(max_examples=40, deadline=None)
def test_restored_snapshot_goes_on_as_if_never_stopped(batches, cut, thin):
    whole = Line()
    for number, documents in enumerate(batches):
        if number == thin:
            whole.history.thin(0.5)
        if number == cut:
            halted = Line()
            halted.history = History.restore(whole.history.snapshot())
            halted.number, halted.first = whole.number, whole.first
            held = whole.prospects.snapshot()
            break
        whole.add(documents)
    else:
        return
    halted.prospects.restore(held)
    for number, documents in enumerate(batches[cut:], cut):
        for line in (whole, halted):
            if number == thin:
                line.history.thin(0.5)
            line.add(documents)

    same(whole.prospects, halted.prospects)
    for name, array in whole.prospects.snapshot().items():
        assert np.array_equal(array, halted.prospects.snapshot()[name]), name


def test_evidence_counts_verified_documents_of_each_stratum():
    words = [frozenset({1, 2}), frozenset({2, 3}), frozenset({2}), frozenset({9})]
    line = Line().add(
        [
            Document(words[0], 0),
            Document(words[1], 0),
            Document(words[2], 1, "duplicate"),
            Document(words[3], 2, "rejected"),
        ]
    )
    whole, a, b = (line.prospects.evidence(name) for name in (ALL, "a", "b"))

    # 2 occurs in three verified documents, 1 and 3 in one; b's only text was no news.
    assert (whole.samples, whole.occurrences.tolist(), whole.q_sum) == (4, [2, 0, 1], 2)
    assert (a.samples, a.occurrences.tolist()) == (2, [2, 1])
    assert (b.samples, b.occurrences.tolist()) == (1, [])
    assert [line.prospects.tokens(name) for name in (ALL, *STRATA)] == [28, 14, 7, 7]
    assert line.prospects.forecast("c", 5).estimate == 0


def test_seed_words_are_no_prospect():
    line = Line()
    line.history.add(delta_of([Document(frozenset({1, 2}))]), 0, seed=True)
    line.add([Document(frozenset({1, 2, 3}))])

    assert line.prospects.evidence(ALL).occurrences.tolist() == [1]


def test_one_stratum_is_the_whole_under_both_names():
    line = Line(("a",)).add([Document(frozenset({1, 2}))])

    assert line.prospects.names == (ALL, "a")
    assert line.prospects.forecast("a", 3) == line.prospects.forecast(ALL, 3)
    with pytest.raises(KeyError):
        line.prospects.samples("b")


CUT = Cut(samples=100, unit=4, batch=5)


@pytest.mark.parametrize(
    ("batches", "ahead", "expected"),
    [
        (1, 2, (3, 20, 40)),
        (1, 0, (1, 20, 0)),
        (2, 2, (4, 20, 40)),
        # Beyond the plan: a whole batch that would follow what is still to come.
        (3, 2, (5, 20, 40)),
        (4, 2, (5, 20, 20)),
        (5, 2, (5, 20, 0)),
        (1, 90, (5, 20, 80)),
    ],
)
def test_governed_batch_is_the_first_that_is_not_open(batches, ahead, expected):
    assert governed(CUT, batches, ahead) == expected


def test_governed_last_batch_is_as_short_as_it_will_be():
    cut = Cut(samples=90, unit=4, batch=5)

    assert governed(cut, 2, 2) == (4, 10, 40)
    assert governed(cut, 4, 2) == (5, 20, 10)


def entry(line, mix, mixes=(), cut=CUT, ahead=2, widened=None):
    batches, widened = 1, dict.fromkeys((ALL, *STRATA), 1.0) | (widened or {})
    generation = GenerationState(1, {}, "", 0, batches=batches, mixes={n: {} for n in mixes})
    window = (cut, ahead)
    return forecast_entry(
        line.prospects, line.history, generation, widened.get, window, lambda batch: mix[batch]
    )


def line_of_batch():
    """20 documents: 10 of a with 3 words of their own each, 10 of b that share 4 words."""
    own = [Document(frozenset({3 * n, 3 * n + 1, 3 * n + 2}), 0) for n in range(10)]
    shared = [Document(frozenset({40 + n % 2, 42 + n % 2}), 1) for n in range(10)]
    return Line().add(own + shared)


EVEN = {"a": 0.5, "b": 0.5, "c": 0.0}


def test_entry_says_what_was_found_and_what_the_governed_batch_would_add():
    line = line_of_batch()
    body = entry(line, [EVEN] * 4)
    strata = body.values["strata"]

    assert body.subject == {"generation": 1, "batches": 1, "batch": 3}
    assert {n: (v["samples"], v["sampled"], v["exclusive"]) for n, v in strata.items()} == {
        ALL: (20, 34, 34.0),
        "a": (10, 30, 30.0),
        "b": (10, 4, 4.0),
        "c": (0, 0, 0.0),
    }
    expected = line.prospects.forecast("a", 10, 20)
    assert strata["a"]["next"]["samples"] == 10
    assert strata["a"]["next"]["estimate"] == expected.estimate
    assert strata[ALL]["next"]["estimate"] == line.prospects.forecast(ALL, 20, 40).estimate
    assert strata["c"]["next"] is None


def test_entry_skips_what_the_open_batches_draw_by_their_own_mix():
    only = {"a": 1.0, "b": 0.0, "c": 0.0}
    line = line_of_batch()
    strata = entry(line, [EVEN, EVEN, only, only], mixes=[2]).values["strata"]

    # Batch 1 draws 10 of a, batch 2 draws 20; then 20 of batch 3 are asked about.
    expected = line.prospects.forecast("a", 20, 30)
    assert strata["a"]["next"]["estimate"] == expected.estimate
    assert strata["b"]["next"] is None


def test_entry_after_a_changed_mix_sums_what_is_drawn():
    only = {"a": 0.0, "b": 1.0, "c": 0.0}
    line = line_of_batch()
    whole = entry(line, [EVEN, EVEN, EVEN, only], mixes=[3]).values["strata"]

    assert whole[ALL]["next"]["method"] == SUMMED
    # b has nothing left; the whole's own table would still hope for a's.
    assert whole[ALL]["next"]["estimate"] == whole["b"]["next"]["estimate"] < 1
    assert line.prospects.forecast(ALL, 20, 40).estimate > 10
    assert entry(line, [EVEN] * 4, mixes=[4]).values["strata"][ALL]["next"]["method"] != SUMMED


def test_mixed_counts_what_only_the_stratum_has_and_bounds_it_by_all_of_it():
    both = frozenset({1, 2})
    line = Line().add(
        [
            Document(both | {10}, 0),
            Document(frozenset({11, 12}), 0),
            Document(both | {20}, 1),
            Document(frozenset({21, 22}), 1),
        ]
    )
    alone = exclusive_shares(line.prospects, line.history)
    assert alone == {"a": 3 / 5, "b": 3 / 5, "c": 0.0}
    a, b = (line.prospects.forecast(name, 2) for name in "ab")
    once = {"a": 1.0, "b": 1.0, "c": 1.0}.get
    whole = {"a": Amount(2, 0), "b": Amount(2, 0), "c": Amount(0, 0)}
    found = line.prospects.mixed(whole, alone, once)

    assert found.samples == 4
    assert found.estimate == pytest.approx(0.6 * (a.estimate + b.estimate))
    assert (found.low, found.high) == (0.6 * a.low + 0.6 * b.low, a.high + b.high)
    assert line.prospects.mixed({"a": Amount(2, 0), "c": Amount(2, 0)}, alone, once) is None
    assert line.prospects.mixed({"a": Amount(0, 0)}, alone, once) is None


def test_entry_widens_each_stratum_by_its_own_factor():
    line = line_of_batch()
    plain, wide = (entry(line, [EVEN] * 4, widened=w).values["strata"] for w in ({}, {"b": 3.0}))

    assert [plain[name]["next"] == wide[name]["next"] for name in (ALL, "a", "b")] == [
        True,
        True,
        False,
    ]
    assert wide["b"]["next"]["widen"] == 3.0
    assert wide["b"]["next"]["high"] > plain["b"]["next"]["high"]


def test_samples_of_one_prompt_are_one_document_to_the_forecast():
    """Groups of four completions, each telling one of 300 facts in four of its own words."""
    random, known, groups = np.random.default_rng(5), set(), 200
    told = random.integers(0, 300, 2 * groups)
    history, by_group, by_document = History(), Prospects(1, ("a",), group=4), Prospects(1, ("a",))
    for prospects, size in ((by_group, 4), (by_document, 1)):
        facts = np.repeat(told[:groups], 4)
        delta = batch_delta(
            {HEADLINE: Shingles(facts.astype(np.uint64) << np.uint64(40), np.arange(801))},
            np.diff(facts, prepend=-1) != 0,
            np.ones(800, bool),
            np.zeros(800, np.uint8),
            group=np.arange(800) // size if size > 1 else None,
        )
        if prospects is by_group:
            history.add(delta, 1)
        documents = [Document(frozenset(), 0)] * 800
        prospects.add(committed(0, documents, 0), delta, history)
    known = set(told[:groups].tolist())
    truth = len(set(told[groups:].tolist()) - known)

    found, blind = by_group.forecast("a", 800), by_document.forecast("a", 800)
    assert by_group.evidence("a").samples == 200
    assert found.samples == 800
    assert found.low <= truth <= found.high
    assert found.high < 1.7 * truth
    assert blind.high < 0.5 * truth
