"""Sources whose future is known, and the way their texts take into the ledger's counts."""

from collections.abc import Iterator, Sequence

import numpy as np

from seedcorn.core.forecast.forecast import forecast
from seedcorn.core.forecast.occupancy import Occupancy
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE, LENGTHS, Delta, batch_delta, limit
from seedcorn.core.text.buffers import pack
from seedcorn.core.text.shingles import shingles_many
from seedcorn.core.text.words import NEWEST


def delta_of(texts: Sequence[str], accepted=None, verified=None, rate: float = 1.0) -> Delta:
    """One batch of documents of one stratum; all of them accepted by default."""
    every = np.ones(len(texts), bool)
    accepted = every if accepted is None else accepted
    verified = every if verified is None else verified
    found = shingles_many(*pack([text.encode() for text in texts]), NEWEST, LENGTHS, limit(rate))
    return batch_delta(found, accepted, verified, np.zeros(len(texts), np.uint8), rate)


def words(draws: np.ndarray) -> list[str]:
    """One-word documents: one shingle each, at every length."""
    return [f"w{draw}" for draw in draws.tolist()]


def zipf(size: int, exponent: float = 1.1) -> np.ndarray:
    p = np.arange(1, size + 1) ** -exponent
    return p / p.sum()


def new(history: History, generation: int, length: int = HEADLINE) -> int:
    return history.novel(generation, length).total


def within(values: Sequence[float], mean: float, sigmas: float = 4.0) -> bool:
    """Whether the mean of the values lies within so many standard errors."""
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    return bool(abs(np.mean(values) - mean) <= sigmas * error + 1e-12)


def loop(
    random: np.random.Generator, accumulate: bool, draws: int, size: int, generations: int
) -> Iterator[np.ndarray]:
    """Counts of the pool that each generation is fitted to; the seed sample comes first."""
    pool = random.multinomial(draws, zipf(size))
    yield pool
    for _ in range(generations):
        sample = random.multinomial(draws, pool / pool.sum())
        pool = pool + sample if accumulate else sample
        yield pool


def template_batches(
    random: np.random.Generator, instances: int, size: int, count: int
) -> Iterator[tuple[int, list[float]]]:
    """U and the upper ends for `ahead` 0, 1, 2 after every batch of a uniform template."""
    history, occupancy, curve = History(), Occupancy(), []
    for batch in range(count):
        delta = delta_of(words(random.integers(0, instances, size)))
        history.add(delta, 1)
        rows = delta.rows(HEADLINE)
        first = delta.first[rows].astype(np.int64) + batch * size
        occupancy.add(delta.hash[rows], delta.verified[rows], delta.accepted[rows], first, 1.0)
        samples = (batch + 1) * size
        curve.append((samples, float(new(history, 1))))
        evidence = occupancy.evidence(samples, curve)
        yield new(history, 1), [forecast(evidence, size, ahead * size).high for ahead in range(3)]


def pitman_yor(random: np.random.Generator, draws: int, discount: float, concentration: float):
    """Types of a Pitman-Yor stream: a new one, or an old draw's with its type's count discounted."""
    stream, counts = np.zeros(draws, np.int64), []
    chances = iter(random.random(4 * draws).tolist())
    for n in range(draws):
        fresh = (concentration + discount * len(counts)) / (concentration + n)
        if next(chances) < fresh:
            stream[n] = len(counts)
            counts.append(1)
            continue
        old = stream[int(next(chances) * n)]
        while next(chances) * counts[old] < discount:
            old = stream[int(next(chances) * n)]
        stream[n] = old
        counts[old] += 1
    return stream


def sentences(random: np.random.Generator, count: int, longest: int = 60) -> list[str]:
    """Texts of common words that share shingles with each other."""
    vocabulary = np.array(words(np.arange(40)))
    phrases = [" ".join(random.choice(vocabulary, 12)) for _ in range(30)]
    return [
        " ".join(random.choice(phrases, int(random.integers(0, longest // 12 + 1))))
        + " "
        + " ".join(random.choice(vocabulary, int(random.integers(0, 20))))
        for _ in range(count)
    ]


def snapshots_agree(one, other) -> bool:
    a, b = one.snapshot(), other.snapshot()
    return a.keys() == b.keys() and all(np.array_equal(a[key], b[key]) for key in a)
