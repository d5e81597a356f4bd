"""What is held back, what is said of it, and of whose rows it is decided."""

import numpy as np
import pytest

from seedcorn.core.holdout.clusters import joined
from seedcorn.core.holdout.held import Held, hold_out, shortfall, together, undecided
from seedcorn.core.holdout.roles import ROLES
from seedcorn.core.log.entries import Measurement
from seedcorn.core.log.state import CorpusState, GenerationState, Source
from tests.core.holdout.made import documents, text

NOTHING = together([])
SEED = documents([text(n, 20 + n % 7) for n in range(900)], range(100, 1000))


def first_held():
    return hold_out(SEED, [range(100, 1000)], NOTHING, 0.1)


def test_figures_are_those_of_the_rows_that_are_held():
    held, figures = first_held()
    assert figures["seed_documents"] == 900
    assert 0 < len(held.ordinals) <= 90
    assert held.ordinals.tolist() == sorted(held.ordinals.tolist())
    for role in ROLES:
        own = held.of(role).ordinals - 100
        assert figures["documents"][role] == figures["clusters"][role] == len(own) > 0
        assert figures["words"][role] == SEED.words[own].sum()


def test_what_could_be_drawn_is_never_held_and_what_is_held_stays():
    held, _ = first_held()
    copies = documents([text(n, 20 + n % 7) for n in range(900)], range(2000, 2900))

    later, figures = hold_out(joined([SEED, copies]), [range(2000, 2900)], held, 0.1)

    assert figures["seed_documents"] == 900
    assert (later.ordinals - 1900).tolist() == held.ordinals.tolist()
    assert later.roles.tolist() == held.roles.tolist()


def test_hold_out_that_starts_late_takes_copies_of_what_could_be_drawn_for_drawable():
    copies = documents([text(n, 20 + n % 7) for n in range(900)], range(2000, 2900))
    later, _ = hold_out(joined([SEED, copies]), [range(2000, 2900)], NOTHING, 0.1)
    assert later.ordinals.tolist() == []


def test_rows_within_a_source_are_counted_from_its_first():
    held = Held(np.array([3, 10, 14, 20]), np.array([0, 1, 2, 0], np.int8), np.arange(4) + 5)
    inside = held.within(10, 10)
    assert inside.ordinals.tolist() == [0, 4]
    assert inside.roles.tolist() == [1, 2]
    assert inside.clusters.tolist() == [6, 7]


@pytest.mark.parametrize("most", [0, 10, 100, 2000])
def test_draw_of_what_is_held_is_a_fair_part_of_it_in_order(most):
    held = Held(np.arange(1000), np.zeros(1000, np.int8), np.arange(1000) // 50)
    drawn = held.drawn(most)
    assert len(drawn.ordinals) == min(most, 1000)
    assert drawn.ordinals.tolist() == sorted(set(drawn.ordinals.tolist()))
    assert drawn.clusters.tolist() == (drawn.ordinals // 50).tolist()
    if most == 100:
        assert len(set(drawn.clusters.tolist())) == 20


def test_parts_together_are_in_the_order_of_their_ordinals():
    one = Held(np.array([5, 9]), np.array([0, 1], np.int8), np.array([1, 2], np.uint64))
    two = Held(np.array([2, 7]), np.array([2, 0], np.int8), np.array([3, 4], np.uint64))
    whole = together([one, two])
    assert whole.ordinals.tolist() == [2, 5, 7, 9]
    assert whole.roles.tolist() == [2, 0, 0, 1]
    assert whole.clusters.tolist() == [3, 1, 4, 2]


@pytest.mark.parametrize(
    ("anchor", "words", "named"),
    [
        (300, 50_000, []),
        (80, 50_000, ["80 of 300 anchor documents"]),
        (300, 49_999, ["49,999 of 50,000 yardstick words"]),
        (1, 2, ["1 of 300 anchor documents", "2 of 50,000 yardstick words"]),
    ],
)
def test_shortfall_names_what_is_missing_of_all_hold_outs(anchor, words, named):
    halves = [(anchor // 2, words // 2), (anchor - anchor // 2, words - words // 2)]
    measured = [{"documents": {"anchor": a}, "words": {"yardstick": w}} for a, w in halves]
    sentence = shortfall(measured)
    assert bool(sentence) == bool(named)
    assert all(name in sentence for name in named)


def test_rows_are_undecided_until_a_generation_starts_or_the_log_says():
    seeds = [Source("seed", name, 0, 1, {}, number) for name, number in (("a", 1), ("b", 5))]
    state = CorpusState()
    assert undecided(state, seeds) == seeds
    state.generations[1] = GenerationState(1, {}, "f", 3)
    assert undecided(state, seeds) == seeds[1:]
    given_up = GenerationState(2, {}, "f", 7, abandoned=8)
    state.generations[2] = given_up
    assert undecided(state, seeds) == seeds[1:]
    given_up.batches = 1
    assert undecided(state, seeds) == []
    del state.generations[2]
    state.held.append(Measurement("holdout", {"sources": [5]}, {}))
    assert undecided(state, seeds) == []
