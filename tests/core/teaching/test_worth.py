"""T20 at a small size: fresh text is worth 100, a copy 0, and intervals cover."""

import numpy as np
import pytest

from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.blocks import draw, matched_size
from seedcorn.core.teaching.gain import Learnt, Teacher
from seedcorn.core.teaching.worth import Side, ratio, worth
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import TextRule, read_words
from tests.core.teaching import sources

SPLITS = 20


@pytest.fixture(scope="module")
def anchor() -> Anchor:
    return Anchor.of(sources.documents(60, 2), TextRule.TWO)


def made(anchor: Anchor, means: np.ndarray, blocks: int = 8) -> Side:
    """A side whose blocks taught every document the same amount."""
    return Side([Learnt(anchor, np.full(len(anchor.sizes), mean)) for mean in means[:blocks]], 0.5)


def test_worth_is_the_ratio_beyond_the_placebo(anchor):
    flat = [made(anchor, np.full(8, bits)) for bits in (4.0, 10.0, 1.0)]

    found = worth(*flat)

    assert found == pytest.approx((100 / 3, 100 / 3, 100 / 3))
    assert ratio(*flat) == pytest.approx(100 / 3)


def test_worth_is_not_clipped_at_nought_and_unknown_where_the_yardstick_teaches_nothing(anchor):
    low, high = made(anchor, np.full(8, -1.0)), made(anchor, np.full(8, 10.0))
    none = made(anchor, np.zeros(8))

    assert worth(low, high, none) == pytest.approx((-10, -10, -10))
    assert worth(high, none, none) is None
    assert worth(high, made(anchor, np.linspace(-1, 1, 8)), none) is None


def test_spread_of_half_blocks_is_that_of_the_whole_sample():
    """Sources of known variance: the interval covers the true ratio of 1 as often as it says."""
    rng = np.random.default_rng(4)
    anchor = Anchor.of(sources.documents(2, 2), TextRule.TWO)
    hits = 0
    for number in range(200):
        sides = []
        for _ in range(2):
            sample = rng.normal(10, 3, 40)
            means = [rng.permutation(sample)[:20].mean() for _ in range(8)]
            sides.append(made(anchor, np.array(means)))
        found = worth(*sides, made(anchor, np.zeros(8)), number)
        hits += found is not None and found.low <= 100 <= found.high

    assert hits / 200 >= 0.9


@pytest.fixture(scope="module")
def splits():
    """Worth of fresh text, and of a copy of the seed, each time with other documents."""
    seed, fresh = sources.documents(300, 1), sources.documents(1200, 3)
    anchor = Anchor.of(sources.documents(100, 2), TextRule.TWO)
    teacher = Teacher(anchor, [anchor.table.count(seed)])
    placebo, found = side(teacher, seed[:100]), []
    rng = np.random.default_rng(5)
    for _ in range(SPLITS):
        drawn = [fresh[i] for i in rng.permutation(len(fresh))[:200]]
        copies = [seed[i] for i in 100 + rng.permutation(200)[:100]]
        new, yardstick, copy = (side(teacher, part) for part in (drawn[:100], drawn[100:], copies))
        found.append((worth(new, yardstick, placebo), worth(copy, yardstick, placebo)))
    return found


def side(teacher: Teacher, texts: list[str]) -> Side:
    table = teacher.anchor.table
    words = read_words(*pack([text.encode() for text in texts]), TextRule.TWO)
    size = matched_size(int(words.counts.sum()), int(words.counts.sum()))
    blocks = draw(words.counts, range(len(texts)), size, 4)
    groups = blocks.groups()
    counts = table.count_groups(words, [groups.get(i, ()) for i in range(len(texts))], 4)
    return Side([teacher.lesson(one) for one in counts], blocks.share)


def test_fresh_text_is_worth_a_hundred_and_covered(splits):
    fresh = [new for new, _ in splits]

    assert 90 <= np.mean([one.estimate for one in fresh]) <= 110
    assert np.mean([one.low <= 100 <= one.high for one in fresh]) >= 0.9
    assert np.mean([one.high - one.low for one in fresh]) < 150


def test_a_copy_is_worth_nought_and_covered(splits):
    copies = [copy for _, copy in splits]

    assert abs(np.mean([one.estimate for one in copies])) < 1
    assert np.mean([one.low <= 0 <= one.high for one in copies]) >= 0.9
