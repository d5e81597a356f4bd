"""T20 at full size: fresh text against a yardstick of the same kind, and a copy against a placebo."""

import random
from collections.abc import Iterator

import numpy as np

from seedcorn.core.intervals import Interval
from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.blocks import BLOCKS, draw, matched_size
from seedcorn.core.teaching.gain import Teacher
from seedcorn.core.teaching.worth import Side, worth
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.words import NEWEST, read_words
from tests.bench.ledger.corpora import GENERATION, Source

SPLITS = 40


def report(source: Source) -> Iterator[str]:
    """Mean worth and coverage over splits of all text that is not in the seed."""
    held = [*source.anchor, *source.yardstick, *source.new]
    fresh, copies = [], []
    for number in range(SPLITS):
        one, other = split(source, held, number)
        fresh += [one] if one else []
        copies += [other] if other else []
    for name, truth, found in (("fresh text", 100, fresh), ("copies of the seed", 0, copies)):
        covered = np.mean([one.low <= truth <= one.high for one in found])
        spread = np.std([one.estimate for one in found])
        width = np.mean([one.high - one.low for one in found])
        yield (
            f"  {name:20s} worth {np.mean([one.estimate for one in found]):6.1f}, sd {spread:.1f} over "
            f"{len(found)} of {SPLITS} splits; intervals {width:.1f} wide cover {truth} in "
            f"{covered:.0%}"
        )


def split(source: Source, held: list[str], number: int) -> tuple[Interval | None, Interval | None]:
    """Worth of fresh text, and of a copy of the seed other than the placebo."""
    order = random.Random(f"split {number}")
    mixed, seed = order.sample(held, len(held)), order.sample(list(source.seed), 2 * GENERATION)
    size = GENERATION
    anchor = Anchor.of(mixed[:size], NEWEST)
    teacher = Teacher(anchor, [anchor.table.count(source.seed)])
    new, yardstick, copy, placebo = (
        side(teacher, texts)
        for texts in (mixed[size : 2 * size], mixed[2 * size : 3 * size], seed[:size], seed[size:])
    )
    return worth(new, yardstick, placebo, number), worth(copy, yardstick, placebo, number)


def side(teacher: Teacher, texts: list[str]) -> Side:
    """Lessons of blocks of half of the texts."""
    words = read_words(*pack([text.encode() for text in texts]), NEWEST)
    total = int(words.counts.sum())
    blocks = draw(words.counts, range(len(texts)), matched_size(total))
    groups = blocks.groups()
    every = [groups.get(number, ()) for number in range(len(texts))]
    counts = teacher.anchor.table.count_groups(words, every, BLOCKS)
    return Side([teacher.lesson(one) for one in counts], blocks.share)
