"""The simulation: pure, as planted, and free of accidental repetitions."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.recipe import SimulatedSpec
from seedcorn.core.simulation import REFUSAL, Kind, simulate, truth, vocabulary

MIXED = SimulatedSpec(
    words=40,
    duplicate_rate=0.15,
    near_duplicate_rate=0.1,
    seed_copy_rate=0.05,
    rejection_rate=0.1,
    failure_rate=0.05,
)
SAMPLES = 2000


def shingles(text: str, length: int = 5) -> set[tuple[str, ...]]:
    words = text.lower().replace(".", "").split()
    return {tuple(words[i : i + length]) for i in range(len(words) - length + 1)}


def jaccard(one: str, other: str) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


@pytest.fixture(scope="module")
def grown():
    return [simulate("r", 1, index, MIXED, "a parent text") for index in range(SAMPLES)]


def test_simulate_same_index_twice_gives_the_same_sample(grown):
    for index in (0, 1, 17, 999):
        assert simulate("r", 1, index, MIXED, "a parent text") == grown[index]


def test_simulate_golden_text_never_drifts():
    assert simulate("golden", 2, 7, SimulatedSpec(words=8), "").text == GOLDEN


GOLDEN = "Kasesa setife zorese lobisa feveva kijuba butimi sikasi. Mumoma."


def test_simulate_other_recipe_or_generation_gives_other_text():
    texts = {simulate(r, g, 5, SimulatedSpec(), "").text for r in "ab" for g in (1, 2)}
    assert len(texts) == 4


def test_truth_counts_what_simulate_makes(grown):
    made = Counter(sample.kind for sample in grown)
    assert truth("r", 1, SAMPLES, MIXED) == {kind: made[kind] for kind in Kind}


def test_truth_rates_come_out_within_four_standard_errors():
    counts = truth("rates", 1, 20_000, MIXED)
    for kind, rate in ((Kind.DUPLICATE, 0.15), (Kind.REJECTED, 0.1), (Kind.FAILED, 0.05)):
        error = (rate * (1 - rate) / 20_000) ** 0.5
        assert abs(counts[kind] / 20_000 - rate) < 4 * error


def test_duplicate_repeats_an_earlier_fresh_text_exactly(grown):
    repeated = [(i, s) for i, s in enumerate(grown) if s.kind is Kind.DUPLICATE]
    assert repeated
    for index, sample in repeated:
        assert sample.of is not None
        assert sample.of < index
        assert grown[sample.of].kind is Kind.FRESH
        assert sample.text == grown[sample.of].text


def test_near_duplicate_differs_in_the_planted_share_of_words(grown):
    near = [s for s in grown if s.kind is Kind.NEAR_DUPLICATE]
    assert near
    for sample in near:
        original = grown[sample.of].text.lower().split()
        words = sample.text.lower().split()
        assert len(words) == len(original)
        changed = sum(a != b for a, b in zip(words, original, strict=True))
        assert changed == max(1, round(0.02 * len(words)))


def test_fresh_texts_share_nothing_by_accident(grown):
    fresh = [s.text for s in grown if s.kind is Kind.FRESH]
    seen = Counter(shingle for text in fresh for shingle in shingles(text))
    assert max(seen.values()) == 1


def test_rejected_texts_are_refusals_and_distinct(grown):
    refused = [s.text for s in grown if s.kind is Kind.REJECTED]
    assert len(set(refused)) == len(refused) > 100
    assert all(text.startswith(REFUSAL) for text in refused)


def test_seed_copy_repeats_its_parent_or_is_fresh_without_one():
    spec = SimulatedSpec(seed_copy_rate=1.0)
    assert simulate("r", 1, 0, spec, "the parent").text == "the parent"
    assert simulate("r", 1, 0, spec, "").kind is Kind.FRESH


def test_failed_sample_has_no_text():
    assert simulate("r", 1, 0, SimulatedSpec(failure_rate=1.0), "").text == ""


def test_only_duplicates_planted_leaves_the_first_fresh():
    spec = SimulatedSpec(duplicate_rate=1.0)
    assert simulate("r", 1, 0, spec, "").kind is Kind.FRESH


def test_poison_takes_its_index_and_changes_no_other_text(grown):
    victim = next(s.of for s in grown if s.kind is Kind.DUPLICATE)
    poisoned = SimulatedSpec(**(vars(MIXED) | {"poison": [victim]}))
    for index, sample in enumerate(grown):
        again = simulate("r", 1, index, poisoned, "a parent text")
        assert again == sample or (index == victim and again.kind is Kind.POISON)


def test_truth_with_poison_equals_a_dedup_of_the_texts(grown):
    victims = sorted({s.of for s in grown if s.kind is Kind.DUPLICATE})[:20]
    poisoned = SimulatedSpec(**(vars(MIXED) | {"poison": victims}))
    kept: set[str] = set()
    exact = 0
    for index in range(SAMPLES):
        sample = simulate("r", 1, index, poisoned, f"parent {index}")
        if sample.kind in (Kind.FRESH, Kind.DUPLICATE):
            exact += sample.text in kept
            kept.add(sample.text)
    counts = truth("r", 1, SAMPLES, poisoned)
    assert counts[Kind.POISON] == len(victims)
    assert counts[Kind.DUPLICATE] <= exact
    assert sum(counts.values()) == SAMPLES


@given(
    index=st.integers(0, 10**9),
    words=st.integers(1, 200),
    vocabulary_size=st.integers(2, 500),
    edits=st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_simulate_any_sensible_spec_gives_words_of_about_the_length(
    index, words, vocabulary_size, edits
):
    spec = SimulatedSpec(
        words=words,
        vocabulary=vocabulary_size,
        near_duplicate_rate=0.5,
        near_duplicate_edits=edits,
    )
    sample = simulate("any", 3, index, spec, "")
    assert 0.74 * words - 1 <= sample.words <= 1.26 * words + 1
    assert sample.words == len(sample.text.split())


def test_vocabulary_words_are_distinct():
    assert len(set(vocabulary(20_000))) == 20_000
