"""What copies, loops, noise and new text teach: T18 on a source with topics, at a small size."""

import random

import numpy as np
import pytest

from seedcorn.core.teaching.anchor import Anchor
from seedcorn.core.teaching.gain import Learnt, Teacher
from seedcorn.core.text.words import TextRule
from tests.core.teaching import sources

SEED = sources.documents(1500, 1)
LEAST = 0.0005
"""Bits per byte: T18's limit for what teaches nothing."""


@pytest.fixture(scope="module")
def anchor() -> Anchor:
    return Anchor.of(sources.documents(300, 2), TextRule.TWO)


@pytest.fixture(scope="module")
def teacher(anchor) -> Teacher:
    return Teacher(anchor, [anchor.table.count(SEED)])


def lesson(teacher: Teacher, texts: list[str]) -> Learnt:
    return teacher.lesson(teacher.anchor.table.count(texts))


def salad(count: int) -> list[str]:
    draw, words = random.Random(5), " ".join(SEED).split()
    return [" ".join(draw.choices(words, k=sources.LENGTH)) for _ in range(count)]


def test_copies_loops_and_noise_teach_nothing_and_new_text_five_times_more_than_any(teacher):
    nothing = {
        "copy": SEED[::8],
        "whole copy": SEED,
        "loop": sources.loop(SEED, 200, 3),
        "salad": salad(200),
        "template": [f"{SEED[0]} {word}" for word in salad(3)[0].split() * 3],
    }
    gains = {name: lesson(teacher, texts).interval for name, texts in nothing.items()}
    new = lesson(teacher, sources.documents(200, 4)).interval

    assert {name for name, gain in gains.items() if abs(gain.estimate) >= LEAST} == set()
    assert new.low > 5 * max(gain.high for gain in gains.values())
    assert new.low < new.estimate < new.high


def test_a_polluted_generation_does_not_make_a_later_copy_of_the_seed_a_lesson(anchor):
    polluted = [anchor.table.count(texts) for texts in (SEED, salad(3000))]

    gain = lesson(Teacher(anchor, polluted), SEED[::4])

    assert abs(gain.per_byte) < LEAST


def test_what_an_earlier_generation_taught_is_not_taught_again(anchor, teacher):
    new = sources.documents(200, 4)
    first = lesson(teacher, new)
    later = Teacher(anchor, [anchor.table.count(texts) for texts in (SEED, new)])

    assert abs(lesson(later, new).per_byte) < 0.05 * first.per_byte


def test_text_of_no_known_word_teaches_nothing(teacher):
    assert lesson(teacher, ["zzz yyy xxx"] * 50).per_byte == pytest.approx(0, abs=1e-7)


def test_without_a_seed_text_still_teaches(anchor):
    none = Teacher(anchor, [anchor.table.none()])

    assert lesson(none, SEED).per_byte > 0.5


def test_trimmed_gain_lacks_what_one_document_of_a_hundred_brought(anchor):
    bits = np.full(len(anchor.sizes), 1.0)
    bits[[3, 5, 8]] = 500

    gain = Learnt(anchor, bits)

    assert gain.per_byte == pytest.approx(bits.sum() / anchor.sizes.sum())
    left = np.delete(np.arange(len(bits)), [3, 5, 8])
    assert gain.trimmed == pytest.approx(len(left) / anchor.sizes[left].sum())


def test_interval_is_over_clusters_so_equal_documents_of_one_widen_it():
    texts = sources.documents(60, 9)
    gains = np.random.default_rng(1).normal(1, 1, 60).repeat(4)
    alone = Anchor.of([text for text in texts for _ in range(4)], TextRule.TWO)
    joined = Anchor.of(
        [text for text in texts for _ in range(4)], TextRule.TWO, np.arange(60).repeat(4).tolist()
    )

    widths = [np.ptp(Learnt(anchor, gains).interval[1:]) for anchor in (alone, joined)]

    assert 1.6 < widths[1] / widths[0] < 2.5
