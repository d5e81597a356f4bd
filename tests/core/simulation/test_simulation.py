"""The simulation: pure, as planted, and free of accidental repetitions."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.recipe import SimulatedSpec
from seedcorn.core.simulation.simulation import REFUSAL, Kind, instances, simulate, truth
from seedcorn.core.simulation.texts import OPENING, vocabulary

MIXED = SimulatedSpec(
    words=40,
    duplicate_rate=0.15,
    near_duplicate_rate=0.1,
    seed_copy_rate=0.05,
    rejection_rate=0.1,
    failure_rate=0.05,
)
SAMPLES = 2000
SHORT = SimulatedSpec(words=3, vocabulary=7, near_duplicate_rate=0.4)
EVERYTHING = SimulatedSpec(
    words=40,
    style="sentences",
    duplicate_rate=0.1,
    near_duplicate_rate=0.05,
    seed_copy_rate=0.05,
    rejection_rate=0.05,
    failure_rate=0.05,
    template_rate=0.3,
    template_instances=300,
    paraphrase_rate=0.1,
    salad_rate=0.1,
    collapse_from=600,
    collapse_stratum="odd",
)


def parity(generation: int, index: int) -> str:
    return "odd" if (generation + index) % 2 else "even"


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


def test_simulate_specs_of_the_first_version_give_their_texts_byte_for_byte():
    state = hashlib.sha256()
    for spec in (SimulatedSpec(), MIXED, SHORT):
        for generation in (1, 2):
            for index in range(300):
                made = simulate("golden", generation, index, spec, "a parent text")
                state.update(f"{made.kind} {made.of} {made.text}\n".encode())
    assert state.hexdigest() == FIRST_VERSION


FIRST_VERSION = "c7521efa5cf0434bbe53900c7f14d4ad582971601bf3afbea2d4628c840be154"


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


def test_paraphrase_tells_its_parent_or_is_fresh_without_one():
    spec = SimulatedSpec(paraphrase_rate=1.0, paraphrase_swap=0.5)
    told = simulate("r", 1, 0, spec, "the ferry left the harbour before sunrise")
    assert told.kind is Kind.PARAPHRASE
    kept = set(told.text.split()) & {"the", "ferry", "left", "harbour", "before", "sunrise"}
    assert 0 < len(kept) < 6
    assert simulate("r", 1, 0, spec, "") == simulate("r", 1, 0, SimulatedSpec(), "")


def test_template_draws_leave_the_expected_number_of_instances():
    spec = SimulatedSpec(template_rate=1.0, template_instances=2000)
    found = [len(instances(f"r{n}", 1, 2000, spec)) for n in range(5)]
    expected = 2000 * (1 - (1 - 1 / 2000) ** 2000)
    # Variance of occupied cells at one draw per cell: S (1/e)(1 - 2/e), an sd of 13.9.
    assert sum(found) / 5 == pytest.approx(expected, abs=4 * 13.9 / 5**0.5)


def test_template_unique_shingles_are_instances_times_shingles_of_one():
    spec = SimulatedSpec(words=30, template_rate=1.0, template_instances=50)
    texts = [simulate("r", 1, index, spec, "").text for index in range(80)]
    unique = set().union(*(shingles(text, 8) for text in texts))
    assert len(unique) == len(instances("r", 1, 80, spec)) * 23
    assert truth("r", 1, 80, spec)[Kind.TEMPLATE] == len(set(texts))


def test_collapse_takes_its_stratum_from_its_index_on_and_nothing_else():
    before = SimulatedSpec(**(vars(EVERYTHING) | {"collapse_from": -1, "collapse_stratum": ""}))
    openings = set()
    for index in range(500, 900):
        stratum = parity(1, index)
        made = simulate("r", 1, index, EVERYTHING, "a parent text", stratum)
        if index >= 600 and stratum == "odd":
            assert made.kind is Kind.TEMPLATE
            openings.add(tuple(made.text.lower().replace(".", "").split()[:OPENING]))
        elif made.of is None or index < 600:
            assert made == simulate("r", 1, index, before, "a parent text", stratum)
        else:
            assert made.of < 600, "what a collapse swallowed cannot be repeated"
    assert len(openings) == 1


def test_collapse_from_the_start_leaves_nothing_to_repeat():
    spec = SimulatedSpec(duplicate_rate=1.0, collapse_from=0, collapse_stratum="other")
    assert simulate("r", 1, 50, spec, "", "this").kind is Kind.FRESH


def test_truth_of_all_kinds_equals_an_exact_dedup_over_two_generations():
    kept: set[str] = set()
    for generation, size in ((1, 1000), (2, 800)):
        exact, kinds = 0, Counter()
        for index in range(size):
            parent = f"parent {generation} {index} " * 20
            stratum = parity(generation, index)
            made = simulate("r", generation, index, EVERYTHING, parent, stratum)
            repeated = made.text in kept and made.kind is not Kind.FAILED
            exact += repeated
            kinds[Kind.DUPLICATE if repeated else made.kind] += 1
            kept.add(made.text)
        counted = truth("r", generation, size, EVERYTHING, parity, before=[1000])
        assert counted == {kind: kinds[kind] for kind in Kind}
        assert counted[Kind.DUPLICATE] == exact > 0


def test_truth_of_a_poisoned_template_sample_leaves_its_instance_untold():
    spec = SimulatedSpec(template_rate=1.0, template_instances=10, poison=[0])
    counts = truth("r", 1, 200, spec)
    assert (counts[Kind.POISON], counts[Kind.TEMPLATE]) == (1, 10)


def test_truth_of_a_collapsed_stratum_needs_to_know_the_strata():
    with pytest.raises(ValueError, match="odd"):
        truth("r", 1, 10, EVERYTHING)


def test_vocabulary_words_are_distinct():
    assert len(set(vocabulary(20_000))) == 20_000
