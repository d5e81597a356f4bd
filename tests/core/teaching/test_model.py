"""The additive model against its formula in plain Python, and that tuning ends in a minimum."""

import math
import random

import numpy as np
import pytest

from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.model import UNIFORM, Fit, base, gathered, token_bits, tune
from seedcorn.core.text.words import TextRule
from tests.core.teaching import sources

ANCHOR = ("the cat sat on the mat", "the dog sat", "a cat", "on")
OLD = ("the cat sat on a log", "the mat the mat", "dog on cat sat on", "sat")
NEW = ("the dog sat on the cat", "mat")
MU, WEIGHTS = (3.0, 2.0, 0.5), (1.0, 0.3)


def probability(words: list[str], at: int, order: int, bottom: float) -> float:
    """P(word | as many words before it as the order allows), by the formula."""
    p = bottom
    for k in range(1, order + 1):
        if at - k + 1 < 0:
            break
        gram = words[at - k + 1 : at + 1]
        counted = total = 0.0
        for weight, texts in zip(WEIGHTS, (OLD, NEW), strict=True):
            for text in texts:
                known = text.split()
                runs = [known[i : i + k] for i in range(len(known) - k + 1)]
                counted += weight * runs.count(gram)
                total += weight * sum(run[:-1] == gram[:-1] for run in runs)
        p = (counted + MU[k - 1] * p) / (total + MU[k - 1])
    return p


@pytest.mark.parametrize("order", [1, 2, 3])
def test_bits_are_those_of_the_formula(order):
    anchor = Anchor.of(ANCHOR, TextRule.TWO)
    counts = [anchor.table.count(texts) for texts in (OLD, NEW)]
    below = base(anchor, counts[0])
    known = np.stack([gathered(anchor, one, order) for one in counts])

    bits = token_bits(below, known, Fit(np.array(MU[:order]), np.array(WEIGHTS)))

    expected = [
        -math.log2(probability(text.split(), at, order, below[anchor.offsets[i] + at]))
        for i, text in enumerate(ANCHOR)
        for at in range(len(text.split()))
    ]
    assert bits == pytest.approx(expected)


def test_base_is_uniform_over_known_words_and_spelling():
    anchor = Anchor.of(ANCHOR, TextRule.TWO)

    found = base(anchor, anchor.table.count(["the cat zebra the"]))

    words = " ".join(ANCHOR).split()
    known = np.array([word in ("the", "cat") for word in words])
    assert found == pytest.approx(UNIFORM * known / 2 + (1 - UNIFORM) * anchor.spelled)


def test_mass_of_the_anchors_words_after_any_context_is_at_most_one():
    kinds = sorted(set(" ".join(ANCHOR).split()))
    anchor = Anchor.of([f"the cat {word}" for word in kinds], TextRule.TWO)
    counts = [anchor.table.count(texts) for texts in (OLD, NEW)]
    known = np.stack([gathered(anchor, one, 3) for one in counts])

    bits = token_bits(base(anchor, counts[0]), known, Fit(np.array(MU), np.array(WEIGHTS)))

    assert 0.9 < np.exp2(-bits[2::3]).sum() <= 1


@pytest.fixture(scope="module")
def problem():
    anchor = Anchor.of(sources.documents(60, 1), TextRule.TWO)
    counts = [anchor.table.count(sources.documents(n, n)) for n in (300, 100)]
    return base(anchor, counts[0]), np.stack([gathered(anchor, one, 3) for one in counts])


def cost(problem, fit: Fit) -> float:
    return float(token_bits(*problem, fit).mean())


def test_tuning_ends_where_no_step_helps_and_forgets_where_it_began(problem):
    draw = random.Random(2)
    fits = [
        tune(*problem, Fit(np.full(3, mu), np.array([1.0, weight])))
        for mu, weight in ((1.0, 1.0), (100.0, 0.01), (1e4, 30.0))
    ]

    costs = [cost(problem, fit) for fit in fits]

    assert max(costs) - min(costs) < 1e-7
    for _ in range(30):
        turn = np.exp([draw.gauss(0, 0.1) for _ in range(4)])
        moved = Fit(fits[0].mu * turn[:3], fits[0].weights * [1.0, turn[3]])
        assert cost(problem, moved) > costs[0] - 1e-9


def test_a_source_that_says_nothing_gets_next_to_no_weight(problem):
    below, known = problem
    noise = known.copy()
    noise[1, :, :, 0], noise[1, :, :, 1] = 0, 1e5

    fit = tune(below, noise, Fit(np.full(3, 10.0), np.ones(2)))

    assert fit.weights[1] < 1e-3
    assert fit.weights[0] == 1
