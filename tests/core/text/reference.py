"""The tokens of a text by the plain second writing, hashed here in plain Python."""

import itertools
import unicodedata

from seedcorn.core.text.buffers import pack
from seedcorn.core.text.fingerprint import (
    fingerprint,
    fingerprint_texts,
    shingles_many,
    similarity,
)
from seedcorn.core.text.unicode_data import unicode_data
from seedcorn.core.text.words import TextRule, read_words
from seedcorn.core.verify.reading import UNSPACED_SHINGLE, Read, read

MASK = 2**64 - 1
TOKEN = (0x51A3C0F6B8D2E947, 0x9FB21C651E98DF25)
EXACT = (0xC2D7A91E5B640F83, 0xA0761D6478BD642F)
"""Seed and prime of the hashes of a token and of an exact text."""


def mix(value):
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & MASK
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & MASK
    return value ^ value >> 33


def hashed(points, seed, prime):
    state = seed
    for point in points:
        state = (state ^ point) * prime & MASK
    return mix(state)


def token_hash(token):
    """Of its folded code points: a character that composes again after folding is taken apart."""
    fold = unicode_data().fold
    points = (to for character in token for to in fold.get(ord(character), (ord(character),)))
    return hashed(points, *TOKEN)


def plain(text: str) -> tuple[Read, tuple[list[int], bool, int]]:
    """The second writing of a text, and what the kernel must say of it."""
    again = read(text, TextRule.TWO)
    hashes = [token_hash(token) for token in again.words]
    return again, (
        hashes,
        again.length == UNSPACED_SHINGLE,
        hashed(map(ord, again.text), *EXACT),
    )


def kernel(texts: list[str]) -> list[tuple[list[int], bool, int]]:
    """(token hashes, unspaced, exact hash) of each text, all in one batch."""
    words = read_words(*pack([text.encode() for text in texts]), TextRule.TWO)
    ends = words.starts + words.counts
    return [
        (words.hashes[start:end].tolist(), bool(words.unspaced[row]), int(words.exact[row]))
        for row, (start, end) in enumerate(zip(words.starts, ends, strict=True))
    ]


def tokens(text: str) -> list[str]:
    """The tokens of a text on which the kernel and the second writing agree."""
    again, expected = plain(text)
    assert kernel([text]) == [expected]
    return list(again.words)


def exact(text: str) -> int:
    """The exact hash of a text."""
    return kernel([text])[0][2]


def is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def golden_row(text: str, rule: TextRule) -> dict[str, object]:
    """All that a text is known by, as golden vectors are stored."""
    data, offsets = pack([text.encode("utf-8", "replace")])
    got = fingerprint(data, offsets, rule)
    return {
        "text": text,
        "words": int(got.words[0]),
        "text_hash": f"{int(got.text_hash[0]):016x}",
        "keys": [f"{int(key):016x}" for key in got.keys[0]],
        "signature": got.signature[0].tobytes().hex(),
        "shingles": {
            str(length): [f"{int(value):016x}" for value in found.hashes[:4]]
            for length, found in shingles_many(data, offsets, rule, (3, 8, 13)).items()
        },
    }


def are_kept_apart(texts: list[str]) -> bool:
    """No two of the texts are exact or near duplicates."""
    prints = fingerprint_texts(texts, TextRule.TWO)
    left, right = zip(*itertools.combinations(range(len(texts)), 2), strict=True)
    near = similarity(prints.signature[[*left]], prints.signature[[*right]]) >= 0.7
    return len(set(prints.text_hash.tolist())) == len(texts) and not near.any()
