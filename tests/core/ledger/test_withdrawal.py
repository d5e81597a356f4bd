"""Conditions of a withdrawal, and the sketch of what it takes away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.ledger.withdrawal import Candidate, parse_condition, select, withdrawn_delta
from seedcorn.core.sketch.sketch import LENGTHS, batch_delta, thin
from seedcorn.core.text.shingles import shingles_many
from seedcorn.core.text.words import NEWEST, read_words

SAMPLE = Candidate("ab12", 2, "tell", ["docs:7", "cd34"], "model-1")


def selection(*texts):
    return select([parse_condition(text) for text in texts])


@pytest.mark.parametrize(
    ("conditions", "matches"),
    [
        (["generation=2"], True),
        (["generation=02"], True),
        (["generation=1"], False),
        (["stratum=tell"], True),
        (["stratum=tel"], False),
        (["id=ab12"], True),
        (["id=ffff", "id=ab12"], True),
        (["parent=docs:7"], True),
        (["parent=cd34"], True),
        (["parent=docs"], False),
        (["source=docs"], True),
        (["source=cd34"], False),
        (["source=doc"], False),
        (["model=model-1"], True),
        (["generation=2", "stratum=ask"], False),
        (["generation=2", "generation=1", "stratum=tell"], True),
    ],
)
def test_conditions_values_are_alternatives_and_keys_narrow(conditions, matches):
    assert selection(*conditions).matches(SAMPLE) is matches


def test_selection_knows_which_generations_it_can_touch_and_describes_itself():
    chosen = selection("generation=3", "generation=1", "stratum=a=b")
    assert [number for number in range(5) if chosen.about(number)] == [1, 3]
    assert chosen.described() == {"generation": "1,3", "stratum": "a=b"}
    assert selection("stratum=x").about(9)


@pytest.mark.parametrize("text", ["", "tell", "colour=red", "id=", "generation=-1", "generation=²"])
def test_condition_that_makes_no_sense_is_refused(text):
    with pytest.raises(ValueError, match="="):
        parse_condition(text)


def test_selection_of_nothing_is_refused_because_it_would_match_everything():
    with pytest.raises(ValueError, match="at least one"):
        select([])


@settings(max_examples=30)
@given(st.lists(st.text("ab ", max_size=30), min_size=1, max_size=6), st.floats(0.1, 1.0))
def test_withdrawn_delta_is_what_accepting_the_texts_added(texts, rate):
    encoded = [text.encode() for text in texts]
    data = np.frombuffer(b"".join(encoded), np.uint8)
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    every = np.ones(len(texts), bool)
    strata = [number % 2 for number in range(len(texts))]
    whole = shingles_many(data, offsets, NEWEST, LENGTHS)
    added = thin(batch_delta(whole, every, every, np.array(strata, np.uint8)), rate)
    taken = withdrawn_delta(read_words(data, offsets, NEWEST), strata, rate)
    for name in ("stratum", "length", "hash", "accepted"):
        assert np.array_equal(getattr(taken, name), getattr(added, name))
