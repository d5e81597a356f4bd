"""A source of text with topics, phrases and rare words, of which any amount can be drawn."""

import random
from functools import cache
from itertools import accumulate

import numpy as np

TOPICS, WORDS, PHRASES = 40, 4000, 30_000
KNOWN = 3000
"""Phrases of a topic."""
LENGTH = 80
"""Words of a document."""


@cache
def _phrases() -> tuple[list[tuple[str, ...]], list[list[int]], np.ndarray]:
    """Zipf words in phrases of two to five; every topic has its own Zipf order of the phrases."""
    draw = random.Random(7)
    words = [f"w{number}" for number in range(WORDS)]
    weights = list(accumulate(1 / (rank + 5) for rank in range(WORDS)))
    phrases = [
        tuple(draw.choices(words, cum_weights=weights, k=draw.randint(2, 5)))
        for _ in range(PHRASES)
    ]
    orders = [draw.sample(range(PHRASES), KNOWN) for _ in range(TOPICS)]
    frequency = 1 / (np.arange(KNOWN) + 20.0)
    return phrases, orders, np.cumsum(frequency / frequency.sum())


def documents(count: int, seed: int) -> list[str]:
    """Documents of one topic each."""
    phrases, orders, running = _phrases()
    rng = np.random.default_rng(seed)
    found: list[str] = []
    for _ in range(count):
        order = orders[int(rng.integers(TOPICS))]
        ranks = np.searchsorted(running, rng.random(LENGTH // 3))
        found.append(
            " ".join(word for rank in ranks for word in phrases[order[min(rank, KNOWN - 1)]])
        )
    return found


def loop(seed: list[str], count: int, number: int) -> list[str]:
    """A Markov model of two words, fitted once on the seed."""
    draw = random.Random(number)
    follow: dict[tuple[str, str], list[str]] = {}
    for text in seed:
        words = text.split()
        for i in range(len(words) - 2):
            follow.setdefault((words[i], words[i + 1]), []).append(words[i + 2])
    starts = sorted(follow)
    found: list[str] = []
    for _ in range(count):
        words = list(draw.choice(starts))
        while len(words) < LENGTH and (after := follow.get((words[-2], words[-1]))):
            words.append(draw.choice(after))
        found.append(" ".join(words))
    return found
