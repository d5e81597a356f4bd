"""Unique tokens: the cut of a text does not matter, sums are exact, samples cover the truth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import LENGTHS, batch_delta, limit
from seedcorn.core.sketch.unique_tokens import (
    AcceptedTexts,
    added,
    first_held,
    interval_of,
    own_tokens,
    sums_by_stratum,
    sums_of,
)
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import shingles_of
from seedcorn.core.text.words import NEWEST, read_words
from seedcorn.core.verify.unique_tokens import tokens_brought


class Corpus:
    """Batches of accepted documents, each with as many tokens as words unless `each` says."""

    def __init__(self, rate=1.0, seed=()):
        self.history = History(rate=rate)
        if seed:
            delta, _ = self.read(seed)
            self.history.add(delta, 0, seed=True)

    def read(self, texts, strata=None, accepted=None, each=1):
        words = read_words(*pack([text.encode() for text in texts]), NEWEST)
        shingles = {n: shingles_of(words, n, limit(self.history.rate)) for n in LENGTHS}
        kept = np.ones(len(texts), bool) if accepted is None else np.array(accepted, bool)
        numbers = np.array(strata if strata is not None else [0] * len(texts), np.uint8)
        every = np.ones(len(texts), bool)
        delta = batch_delta(shingles, kept, every, numbers, self.history.rate)
        return delta, AcceptedTexts(kept, words.counts, each * words.counts)

    def add(self, texts, generation=1, **how):
        delta, documents = self.read(texts, **how)
        found = first_held(delta, self.history, generation, documents)
        self.history.add(delta, generation)
        return found


def prose(words, seed=0, vocabulary=10**6):
    """Words that do not come twice, but by chance."""
    rng = np.random.default_rng(seed)
    return [f"w{n}" for n in rng.integers(0, vocabulary, words)]


def cut(words, length):
    return [" ".join(words[at : at + length]) for at in range(0, len(words), length)]


@pytest.mark.parametrize("length", [6, 10, 20, 40, 160])
def test_t19_unique_tokens_of_one_text_do_not_depend_on_where_it_is_cut(length):
    words = prose(9600)
    found = Corpus().add(cut(words, length), each=2)
    assert found.tokens.sum() == pytest.approx(2 * 9600, rel=0.01)


@pytest.mark.parametrize("length", [6, 7, 8, 40])
def test_t19_copy_of_the_seed_brings_nothing_wherever_it_is_cut(length):
    words = prose(2400)
    corpus = Corpus(seed=[" ".join(words)])
    assert corpus.add(cut(words, length)).tokens.sum() == 0


def test_short_document_is_unique_by_its_three_word_shingles_and_listed_apart():
    corpus = Corpus(seed=["one two three four five six seven eight nine ten"])
    texts = ["two three four five six seven", "two three four nine", "six", "ein zwei", ""]
    found = corpus.add(texts)
    assert found.tokens.tolist() == [0, 4, 1, 2, 0]
    sums = sums_of(found, np.ones(5, bool))
    assert (sums["short"], sums["short_own"], sums["short_tokens"]) == (5, 13, 7)


def test_document_that_repeats_itself_is_unique_once():
    sentence = " ".join(f"a{n}" for n in range(8))
    found = Corpus().add([f"{sentence} {sentence}"])
    assert found.held.tolist() == [8]
    assert found.tokens.tolist() == [pytest.approx(16 * 8 / 9, abs=2**-16)]


def test_first_holder_is_the_first_accepted_document_in_plan_order_of_any_stratum():
    text = " ".join(prose(40))
    found = Corpus().add([text, text, text], accepted=[False, True, True], strata=[0, 1, 0])
    assert found.tokens.tolist() == [0, 40, 0]


def test_shingles_of_a_seed_that_came_after_the_generation_started_are_still_new_to_it():
    corpus, text = Corpus(), " ".join(prose(40))
    delta, _ = corpus.read([text])
    corpus.history.add(delta, 1, seed=True)
    assert corpus.add([text]).tokens.tolist() == [40]
    assert corpus.add([text], generation=2).tokens.tolist() == [0]


def test_text_has_its_share_of_a_completion_with_a_trace():
    tokens = own_tokens(np.array([90, 90, 7]), np.array([100, 100, 0]), np.array([200, 0, 0]))
    assert tokens.tolist() == [30, 90, 0]


def test_documents_of_one_draw_are_one_where_it_is_asked_how_unlike_draws_are():
    corpus = Corpus()
    delta, texts = corpus.read([" ".join(prose(40, seed)) for seed in range(6)])
    found = first_held(delta, corpus.history, 1, replace(texts, group=np.arange(6) // 3 + 5))
    sums = sums_of(found, np.ones(6, bool))
    assert sums["tokens"] == 6 * 40
    assert sums["tokens_squared"] == 2 * (3 * 40) ** 2
    assert sums["tokens_held"] == 2 * (3 * 40) * (3 * 33)
    assert sums["held_squared"] == 2 * (3 * 33) ** 2


TEXTS = st.lists(
    st.lists(st.sampled_from("abcdef"), max_size=20).map(" ".join), min_size=1, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.data())
def test_sums_are_the_same_however_batches_and_strata_are_cut_and_added(texts, data):
    at = data.draw(st.integers(0, len(texts)))
    strata = data.draw(st.lists(st.integers(0, 2), min_size=len(texts), max_size=len(texts)))
    whole = sums_of(Corpus().add(texts, strata=strata), np.ones(len(texts), bool))
    corpus = Corpus()
    parts = [
        part
        for rows in (slice(0, at), slice(at, None))
        if texts[rows]
        for part in sums_by_stratum(
            corpus.add(texts[rows], strata=strata[rows]), [f"s{n}" for n in strata[rows]]
        ).values()
    ]
    for order in (parts, parts[::-1]):
        assert added(*order)["tokens"] == whole["tokens"]
        assert added(*order)["held"] == whole["held"]
        assert added(*order)["own"] == whole["own"]


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([1.0, 0.5, 0.125]), st.data())
def test_second_writing_by_fractions_gives_every_document_the_same(before, texts, rate, data):
    kept = data.draw(st.lists(st.booleans(), min_size=len(texts), max_size=len(texts)))
    strata = data.draw(st.lists(st.integers(0, 2), min_size=len(texts), max_size=len(texts)))
    corpus = Corpus(rate, seed=before[:1])
    corpus.add(before[1:] or ["x"])
    delta, documents = corpus.read(texts, strata, kept, each=3)
    found = first_held(delta, corpus.history, 1, documents)
    again = tokens_brought(
        delta,
        lambda hashes, length: corpus.history.unheld(hashes, length, 1),
        [(int(n), 3 * int(n)) if ok else None for n, ok in zip(documents.words, kept, strict=True)],
    )
    assert np.abs(found.tokens - np.array(again)).max() <= 2**-16


@pytest.mark.parametrize(("documents", "rate"), [(12, 1 / 16), (300, 1 / 4), (300, 1 / 64)])
def test_interval_of_a_sample_covers_the_truth(documents, rate):
    covered, trials = 0, 120
    for seed in range(trials):
        words = prose(40 * documents, seed, vocabulary=300)
        lengths = np.random.default_rng(seed).integers(8, 60, documents)
        ends = np.cumsum(lengths)
        texts = [" ".join(words[e - n : e]) for e, n in zip(ends, lengths, strict=True)]
        texts += texts[: documents // 3]
        truth = Corpus().add(texts).tokens.sum()
        sums = sums_of(Corpus(rate).add(texts), np.ones(len(texts), bool))
        found = interval_of(sums, sums, rate)
        covered += found.low <= truth <= found.high
    assert covered >= 0.93 * trials


def test_sample_in_which_nothing_is_new_says_how_much_there_can_be():
    words = prose(4000)
    corpus = Corpus(1 / 64, seed=[" ".join(words)])
    sums = sums_of(corpus.add(cut(words, 40), each=2), np.ones(100, bool))
    found = interval_of(sums, sums, 1 / 64)
    assert (found.estimate, found.low) == (0, 0)
    assert found.high == pytest.approx(2 * 4000 / (100 * 33) * 234, rel=0.05)


def test_short_documents_are_estimated_by_their_chance_to_be_seen():
    estimates = [Corpus(1 / 4).add(cut(prose(6 * 400, seed), 6)).tokens.sum() for seed in range(30)]
    assert np.mean(estimates) == pytest.approx(6 * 400, rel=0.03)
