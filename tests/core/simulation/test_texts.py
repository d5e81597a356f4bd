"""The simulation's texts: what order says, how instances differ, where retelling leads."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.companions.order_gap import order_gap
from seedcorn.core.identity import digest
from seedcorn.core.recipe import SimulatedSpec
from seedcorn.core.simulation.texts import (
    OPENING,
    fresh,
    paraphrased,
    phrase,
    prose,
    salad,
    synonym,
    templated,
    vocabulary,
)

GOLDEN_SENTENCE = "Melopi figume dutopi rojihi kepike duvepa sigase gofihe. Kepeki gugovi."
PARENT = "Kasesa setife zorese, lobisa feveva kijuba. Butimi sikasi mumoma!\n\nThe end isn't near."


def key(number: int) -> bytes:
    return digest("test", number)


def words(text: str) -> list[str]:
    return text.lower().replace(".", "").split()


def shingles(text: str, length: int = 8) -> set[tuple[str, ...]]:
    found = words(text)
    return {tuple(found[i : i + length]) for i in range(len(found) - length + 1)}


def written(style: str, count: int) -> list[str]:
    spec = SimulatedSpec(style=style)
    return [prose(fresh(key(number), spec), key(number)) for number in range(count)]


def test_sentences_golden_text_never_drifts():
    spec = SimulatedSpec(style="sentences")
    assert prose(phrase(key(0), 10, spec), key(0)) == GOLDEN_SENTENCE


def test_sentences_order_carries_information_and_words_none():
    assert order_gap(written("sentences", 150)).low > 0.4
    assert abs(order_gap(written("words", 150)).estimate) < 0.02


def test_salad_order_carries_no_information_whatever_the_style():
    spec = SimulatedSpec(style="sentences")
    texts = [salad(key(number), spec) for number in range(150)]
    assert abs(order_gap(texts).estimate) < 0.02
    assert texts[0] == salad(key(0), SimulatedSpec())


def test_sentences_fresh_texts_share_no_eight_words_by_accident():
    seen = Counter(shingle for text in written("sentences", 2000) for shingle in shingles(text))
    assert max(seen.values()) == 1


@given(words=st.integers(1, 300), vocabulary_size=st.integers(2, 300))
@settings(max_examples=50, deadline=None)
def test_sentences_any_size_give_exactly_the_words_asked_for(words, vocabulary_size):
    spec = SimulatedSpec(style="sentences", vocabulary=vocabulary_size)
    found = phrase(key(words), words, spec)
    assert len(found) == words
    assert set(found) <= set(vocabulary(vocabulary_size))


@pytest.mark.parametrize("style", ["words", "sentences"])
def test_template_without_slots_instances_share_nothing(style):
    spec = SimulatedSpec(words=40, style=style)
    texts = [templated("r", instance, spec, False) for instance in range(400)]
    assert {len(words(text)) for text in texts} == {40}
    assert len(set().union(*map(shingles, texts))) == 400 * 33


def test_template_with_slots_instances_differ_in_that_many_words_and_share_the_opening():
    spec = SimulatedSpec(words=50, template_slots=4)
    texts = [words(templated("r", instance, spec, False)) for instance in range(0, 20_000, 97)]
    for one, other in itertools.pairwise(texts):
        assert sum(a != b for a, b in zip(one, other, strict=True)) == 4
    assert len({tuple(text[:OPENING]) for text in texts}) == 1


@given(vocabulary_size=st.integers(2, 6), slots=st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_template_as_many_instances_as_slots_allow_are_all_different(vocabulary_size, slots):
    spec = SimulatedSpec(words=20, vocabulary=vocabulary_size, template_slots=slots)
    count = vocabulary_size**slots
    assert len({templated("r", instance, spec, False) for instance in range(count)}) == count


def test_template_of_another_recipe_is_another_template():
    spec = SimulatedSpec(words=50, template_slots=2)
    one, other = (templated(recipe, 3, spec, False) for recipe in "ab")
    assert not shingles(one) & shingles(other)


def test_template_collapsed_without_slots_shares_its_opening_and_nothing_else():
    spec = SimulatedSpec(words=40)
    texts = [words(templated("r", instance, spec, True)) for instance in range(200)]
    assert len({tuple(text[:OPENING]) for text in texts}) == 1
    rests = [shingles(" ".join(text[OPENING:])) for text in texts]
    assert len(set().union(*rests)) == sum(map(len, rests))


def test_retold_parent_changes_the_share_asked_for_and_keeps_everything_between_words():
    parent = written("sentences", 1)[0] * 30
    spec = SimulatedSpec(paraphrase_swap=0.3)
    before, after = words(parent), words(paraphrased(parent, key(1), spec))
    changed = sum(a != b for a, b in zip(before, after, strict=True)) / len(before)
    assert changed == pytest.approx(0.3, abs=4 * (0.21 / len(before)) ** 0.5)
    spaces = str.maketrans("", "", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert paraphrased(PARENT, key(1), spec).translate(spaces) == PARENT.translate(spaces)


def test_retold_parent_with_nothing_or_everything_swapped():
    assert paraphrased(PARENT, key(1), SimulatedSpec(paraphrase_swap=0.0)) == PARENT
    everything = SimulatedSpec(paraphrase_swap=1.0)
    once = paraphrased(PARENT, key(1), everything)
    assert all(a != b for a, b in zip(words(PARENT), words(once), strict=True))
    assert paraphrased(once, key(2), everything).startswith("Kasesa setife zorese, lobisa")


def test_retold_again_and_again_never_leaves_the_variants_of_the_first_text():
    spec = SimulatedSpec(paraphrase_swap=0.3)
    first = text = written("words", 1)[0]
    allowed = [{word, synonym(word, spec.vocabulary)} for word in words(first)]
    texts = set()
    for generation in range(60):
        text = paraphrased(text, key(generation), spec)
        texts.add(text)
        assert all(word in pair for word, pair in zip(words(text), allowed, strict=True))
    assert len(texts) == 60


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1), st.integers(2, 500))
@settings(max_examples=100, deadline=None)
def test_synonym_of_a_synonym_is_the_word_itself_inside_the_vocabulary(word, size):
    inside = synonym(word, size)
    assert inside.lower() in vocabulary(size)
    assert synonym(synonym(inside, size), size) == inside


def test_synonym_without_a_partner_is_the_word_itself():
    last = vocabulary(7)[6]
    assert synonym(last, 7) == last
    assert synonym(vocabulary(7)[0].capitalize(), 7) == vocabulary(7)[1].capitalize()


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_retold_any_text_keeps_its_number_of_lines(text):
    spec = SimulatedSpec(paraphrase_swap=0.7)
    assert paraphrased(text, key(0), spec).count("\n") == text.count("\n")
