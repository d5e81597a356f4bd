"""Two corpora side by side: what each holds that is unique, what both hold, and who adds more.

Everything that either has as seed or reference is history to both, so neither is credited with the
other's seed; withdrawn samples count in neither. Invariant: a function of the two sets of samples
and the sample rate: at rate 1 the counts are those of plain sets of shingles, and swapping the
corpora swaps the columns.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.intervals import Interval, unique_interval
from seedcorn.core.measure.rarefaction import rarefied_interval
from seedcorn.core.sketch.history import History
from seedcorn.core.sketch.sketch import HEADLINE, LENGTHS, Delta, thin
from seedcorn.core.sketch.unique_tokens import added

GENERATION = 1
"""All samples of a corpus count as one generation, everything before them as generation 0."""
NOTHING: Mapping[str, Mapping[str, float]] = MappingProxyType({})
Unique = dict[int, Interval]
"""Distinct shingles by shingle length."""


class Holdings:
    """One corpus as it is read: its unique shingles, documents and tokens.

    Give every seed first, of both corpora, then the batches. Memory is one history.
    """

    def __init__(self, fingerprints: int = 10_000_000) -> None:
        self.history = History(fingerprints)
        self.documents = 0
        """Accepted samples that were not withdrawn."""
        self.tokens = 0
        """Of those samples; completion tokens of their engine."""
        self._clumps = np.zeros(2)
        self._first_held: dict[str, float] | None = {}

    def add_seed(self, delta: Delta) -> None:
        """Shingles of seed or reference documents of either corpus."""
        self.history.add(delta, 0, seed=True)
        self._thin()

    def add(
        self,
        delta: Delta,
        documents: int,
        tokens: int,
        unique: Mapping[str, Mapping[str, float]] = NOTHING,
    ) -> None:
        """One batch of accepted samples; `unique` as the log has it, empty in corpora that do not
        count unique tokens."""
        known = self._first_held if unique or not documents else None
        self._first_held = added(known, *unique.values()) if known is not None else None
        delta = thin(delta, self.history.rate)
        self.history.add(delta, GENERATION)
        self.documents += documents
        self.tokens += tokens
        self._clumps += _clumps(delta, self.history)
        self._thin()

    def withdraw(self, delta: Delta, documents: int, tokens: int) -> None:
        """Samples that were added before and do not count."""
        if self.history.withdraw(delta):
            raise CorruptCorpus("a withdrawal takes more shingles than were accepted")
        self.documents -= documents
        self.tokens -= tokens

    @property
    def words_per_shingle(self) -> float | None:
        """Unique words per shingle that the corpus was the first to hold; None where it does not
        count them."""
        held = (self._first_held or {}).get("held", 0.0)
        return self._first_held["words"] / held if self._first_held and held else None

    def clump(self) -> float:
        """Mean number of sampled fingerprints that come with one of them, itself included."""
        once, squares = self._clumps
        return 1 + self.history.rate * (squares / once - 1) if once else 1.0

    def _thin(self) -> None:
        self.history.thin(self.history.rate_needed())


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two corpora."""

    documents: int
    tokens: int
    unique_words: Interval | None
    """`unique` shingles by what those of the corpus are worth in words; None where it does not count
    unique tokens."""
    unique: Unique
    """Shingles of its accepted samples that no seed of either corpus holds."""
    only: Unique
    """The part that the other corpus does not hold."""
    yield_per_token: Interval | None
    """U_8 per token."""
    at_equal_tokens: Interval | None
    """U_8 expected in as many tokens as the smaller corpus has; the interval is for other draws
    from the same source."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two corpora; null figures where one of them holds no token."""

    rate: float
    """Sample rate of every count: the lower one of both."""
    a: Side
    b: Side
    union: Unique
    overlap: Unique
    equal_tokens: int
    """Tokens of the smaller corpus."""

    @property
    def more(self) -> str:
        """`a` or `b`: which adds more per token at equal tokens; empty where the intervals meet."""
        first, second = self.a.at_equal_tokens, self.b.at_equal_tokens
        if first is None or second is None:
            return ""
        if first.low > second.high:
            return "a"
        return "b" if second.low > first.high else ""


@dataclass(slots=True)
class _Novel:
    """Unique sampled shingles of one corpus, ascending, with the documents that hold each."""

    keys: dict[int, NDArray[np.uint64]] = field(default_factory=dict)
    occurrences: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


def compare(a: Holdings, b: Holdings) -> Comparison:
    """Compare two corpora whose seeds were added to both.

    Thins both to the lower rate; beside the two histories a sorted copy of one is held at a time.
    """
    rate = min(a.history.rate, b.history.rate)
    for side in (a, b):
        side.history.thin(rate)
    first, second = _novel(a), _novel(b)
    both = {n: _shared(first.keys[n], second.keys[n]) for n in LENGTHS}
    one = {n: len(keys) for n, keys in first.keys.items()}
    other = {n: len(keys) for n, keys in second.keys.items()}
    tokens = min(a.tokens, b.tokens)
    return Comparison(
        rate=rate,
        a=_side(a, one, both, _equal(a, first, tokens)),
        b=_side(b, other, both, _equal(b, second, tokens)),
        union=_intervals({n: one[n] + other[n] - both[n] for n in LENGTHS}, rate),
        overlap=_intervals(both, rate),
        equal_tokens=tokens,
    )


def _side(
    holdings: Holdings, sizes: Mapping[int, int], both: Mapping[int, int], equal: Interval | None
) -> Side:
    rate = holdings.history.rate
    unique, each = _intervals(sizes, rate), holdings.words_per_shingle
    return Side(
        documents=holdings.documents,
        tokens=holdings.tokens,
        unique_words=Interval(*(each * end for end in unique[HEADLINE])) if each else None,
        unique=unique,
        only=_intervals({n: sizes[n] - both[n] for n in LENGTHS}, rate),
        yield_per_token=per_token(unique[HEADLINE], holdings.tokens),
        at_equal_tokens=equal,
    )


def per_token(unique: Interval, tokens: int) -> Interval | None:
    """An interval of distinct shingles as an interval of yield; None without tokens."""
    return Interval(*(end / tokens for end in unique)) if tokens else None


def _equal(holdings: Holdings, novel: _Novel, tokens: int) -> Interval | None:
    """U in so many tokens of this corpus: other draws from the source, and the hash sample's error.

    With D found in full and V the variance of D if fingerprints came singly, a sample of rate s has
    variance c V + D (1 - s) / s, c their clump at rate 1; the rarefied interval at rate s holds
    c V + V (1 - s) / s, which is too little where the source is used up and V is near 0.
    """
    if not tokens:
        return None
    if not novel.occurrences.sum():
        return Interval(0.0, 0.0, 0.0)
    share, rate, clump = tokens / holdings.tokens, holdings.history.rate, holdings.clump()
    found = rarefied_interval(novel.occurrences, holdings.documents, share, rate, clump)
    if rate == 1:
        return found
    whole = 1 + (clump - 1) / rate
    drawn = (found.high - found.estimate) ** 2 * whole / (whole + (1 - rate) / rate)
    sampled = unique_interval(round(found.estimate * rate), rate)
    low = found.estimate - math.sqrt(drawn + (sampled.estimate - sampled.low) ** 2)
    high = found.estimate + math.sqrt(drawn + (sampled.high - sampled.estimate) ** 2)
    return Interval(found.estimate, max(0.0, low), high)


def _novel(holdings: Holdings) -> _Novel:
    """The unique shingles that withdrawals left; a moment of 2g is acceptance in generation g."""
    columns = holdings.history.snapshot()
    novel = _Novel()
    for n in LENGTHS:
        left = columns[f"{n}.accepted"].astype(np.int64) - columns[f"{n}.withdrawn"]
        mine = (columns[f"{n}.first"] == 2 * GENERATION) & (left > 0)
        novel.keys[n] = columns[f"{n}.key"][mine]
        if n == HEADLINE:
            novel.occurrences = np.bincount(left[mine])[1:]
    return novel


def _shared(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> int:
    """Size of the intersection of two sets in ascending order."""
    place = np.searchsorted(right, left)
    known = place < len(right)
    return int(np.count_nonzero(right[place[known]] == left[known]))


def _clumps(delta: Delta, history: History) -> NDArray[np.float64]:
    """[sum of q, sum of q^2] over documents, q the unique fingerprints a document was the first of
    its batch to hold; estimates for rate 1 from the sample at hand."""
    rows = delta.rows(HEADLINE)
    hashes = delta.hash[rows]
    kept = (delta.accepted[rows] > 0) & history.fresh(hashes, HEADLINE, GENERATION)
    counts = np.bincount(delta.first[rows][kept]).astype(np.float64)
    rate, once = delta.rate, float(counts.sum())
    # A sample of rate s shows c of q: E[c] = s q, E[c^2] = s^2 q^2 + s (1 - s) q.
    squares = (float((counts**2).sum()) - (1 - rate) * once) / rate**2
    return np.array([once / rate, squares])


def _intervals(sampled: Mapping[int, int], rate: float) -> Unique:
    return {n: unique_interval(count, rate) for n, count in sampled.items()}
