r"""The normaliser of text rule 1: what counts as the same text in corpora that began under it.

NFKC, lower case, `\w+` words, single spaces. `normalise` is the definition; the byte tables below
say the same per code point, so that a compiled loop reads most non-ASCII text without Python.
Invariant: where the tables give bytes for every code point of a text, their words are the words of
`normalise`; where context could matter (a mark that composes, a capital sigma), they give nothing
and the text goes through `normalise`.

The Unicode data is the interpreter's (14.0 in Python 3.11, 15.0 in 3.12): characters assigned in
between are letters to one and separators to the other.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

TABLE_SIZE = 0x20000
"""Code points below this (planes 0 and 1: all living scripts, emoji) have a table entry."""
EXPANSION = 2
"""No table entry is longer than this many times the UTF-8 of its code point."""
_CHUNK = 16_384
"""Characters normalised at a time, so that one huge document cannot hold the GIL for long."""

_WORD = re.compile(r"\w+")
_SEPARATORS = re.compile(r"[^\w\n]+")
_CAPITAL_SIGMA = "\u03a3"


def normalise(text: str) -> str:
    r"""NFKC, lower case, `\w+` words joined by single spaces; empty if there is no word."""
    if text.isascii():
        return " ".join(_WORD.findall(text.lower()))
    parts = (unicodedata.normalize("NFKC", chunk).lower() for chunk in _chunks(text))
    return " ".join(word for part in parts for word in _WORD.findall(part))


def normalise_bytes(data: bytes) -> bytes:
    """`normalise` on UTF-8. A byte that is not UTF-8 separates words, as U+FFFD does."""
    return normalise(data.decode("utf-8", "replace")).encode("utf-8", "replace")


def _chunks(text: str) -> list[str]:
    """Cut before spaces only: nothing composes with a space, and no casing rule looks past one."""
    chunks, start = [], 0
    while len(text) - start > _CHUNK:
        cut = text.find(" ", start + _CHUNK)
        if cut < 0:
            break
        chunks.append(text[start:cut])
        start = cut
    chunks.append(text[start:])
    return chunks


@dataclass(frozen=True)
class Tables:
    """UTF-8 after normalisation, per code point: `pool[starts[c]:starts[c + 1]]`.

    Separators are one space; an empty entry means that `normalise` must decide.
    """

    starts: NDArray[np.int32]
    """[TABLE_SIZE + 1]"""
    pool: NDArray[np.uint8]


def ascii_table() -> NDArray[np.uint8]:
    """uint8[256]: the lower-case byte of a word, 0 for a separator.

    Bytes from 0x80 stand for themselves: after normalisation they only occur inside words.
    """
    table = np.arange(256, dtype=np.uint8)
    for byte in range(128):
        char = chr(byte)
        table[byte] = ord(char.lower()) if _WORD.match(char) else 0
    return table


@cache
def tables() -> Tables:
    """The per-code-point tables; built on first use (about 0.1 s), then shared by all threads."""
    surrogates = range(0xD800, 0xE000)
    chars = ["\n" if c == 10 or c in surrogates else chr(c) for c in range(TABLE_SIZE)]
    chars[10] = " "
    lines = ["" if c in surrogates else char for c, char in enumerate(chars)]
    joined = "\n".join(lines)
    folded = _SEPARATORS.sub(" ", unicodedata.normalize("NFKC", joined).lower()).split("\n")
    upper = unicodedata.normalize("NFKC", joined).split("\n")
    apart = unicodedata.normalize("NFKD", joined).split("\n")
    composing = _composing()
    encoded = [
        _entry(*item, composing=composing) for item in zip(lines, upper, apart, folded, strict=True)
    ]
    starts = np.zeros(TABLE_SIZE + 1, np.int32)
    np.cumsum([len(entry) for entry in encoded], out=starts[1:])
    return Tables(starts, np.frombuffer(b"".join(encoded), np.uint8))


def _entry(char: str, upper: str, apart: str, folded: str, *, composing: frozenset[str]) -> bytes:
    """Normalised UTF-8 of one code point, or nothing where its neighbours could matter.

    A mark that never composes may still be reordered among its neighbours; that is no matter as
    long as it only separates words.
    """
    if not char or apart[0] in composing or _CAPITAL_SIGMA in upper:
        return b""
    if unicodedata.combining(apart[0]) and folded != " ":
        return b""
    data = folded.encode()
    return data if len(data) <= EXPANSION * len(char.encode()) else b""


def _composing() -> frozenset[str]:
    """Characters that can merge into the character before them under NFC."""
    found = {chr(c) for c in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    for code in range(0xC0, TABLE_SIZE):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)
