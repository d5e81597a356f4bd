"""Seed, anchor, yardstick and new text of one source, disjoint by chapters, and a paraphrase.

Held-out text and new text are chapters of books that the seed has not, so the three are alike and
none of them is copied from the seed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby

from tests.bench.ledger.packages import Verses, bible, handbook

SEED = 2394
"""Documents of the seed, about."""
WORDS = 150
"""Words of a document, about; whole verses of one chapter."""
GENERATION = 400
"""Documents of every generation that is measured."""
ANCHOR, YARDSTICK = 400, 500


@dataclass(frozen=True)
class Source:
    """Real text, cut for the bench."""

    seed: Sequence[str]
    anchor: Sequence[str]
    yardstick: Sequence[str]
    new: Sequence[str]
    paraphrase: Sequence[str]
    """Of seed documents, by other people."""


def kjv() -> Source:
    """The King James Version; the World English Bible has the same verses in other words."""
    verses, others = bible("KJV"), bible("WEB")
    documents = list(_documents(verses))
    books = _seed_books(documents)
    seed = [keys for keys in documents if keys[0][0] in books]
    held = [keys for keys in documents if keys[0][0] not in books]
    chapters = sorted({keys[0][:2] for keys in held}, key=_hash)
    part = {chapter: number % 3 for number, chapter in enumerate(chapters)}
    parts = [
        sorted((keys for keys in held if part[keys[0][:2]] == number), key=_hash)
        for number in range(3)
    ]
    told = [[keys for keys in seed if all(key in others for key in keys)]]
    told = sorted(told[0], key=_hash)[:GENERATION]
    return Source(
        [_text(verses, keys) for keys in seed],
        [_text(verses, keys) for keys in parts[0][:ANCHOR]],
        [_text(verses, keys) for keys in parts[1][:YARDSTICK]],
        [_text(verses, keys) for keys in parts[2]],
        [_text(others, keys) for keys in told],
    )


def other_domain() -> list[str]:
    """Documents of the Debian handbook."""
    found: list[str] = []
    for page in handbook():
        words = page.split()
        found += [" ".join(words[i : i + WORDS]) for i in range(0, len(words) - WORDS, WORDS)]
    return sorted(found, key=_hash)


Keys = list[tuple[str, int, int]]


def _documents(verses: Verses) -> Iterator[Keys]:
    for _, chapter in groupby(verses, key=lambda key: key[:2]):
        held: Keys = []
        words = 0
        for key in chapter:
            held.append(key)
            words += len(verses[key].split())
            if words >= WORDS:
                yield held
                held, words = [], 0
        if held:
            yield held


def _seed_books(documents: Sequence[Keys]) -> set[str]:
    """Books by hash until there are documents enough."""
    sizes = Counter(keys[0][0] for keys in documents)
    books: set[str] = set()
    for book in sorted(sizes, key=_hash):
        if sum(sizes[one] for one in books) >= SEED:
            break
        books.add(book)
    return books


def _text(verses: Verses, keys: Keys) -> str:
    return " ".join(verses[key] for key in keys)


def _hash(value: object) -> bytes:
    return sha256(repr(value).encode()).digest()
