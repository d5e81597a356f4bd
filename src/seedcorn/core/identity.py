"""Names and randomness derived from content, never from clocks or processes.

Ids, request seeds and plan draws are hashes of the things they identify, so that any process,
on any machine, in any order, arrives at the same ones.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

GOLDEN = 0x9E3779B97F4A7C15
"""2^64 over the golden ratio, odd: steps of it spread evenly over all words."""
_WORD = 2**64 - 1
_M1, _M2 = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
ID_BYTES = 16
"""Sample ids are 128 bits: a collision among 10^12 samples has probability below 1.5e-15."""


def digest(*parts: str | int | bytes, size: int = 32) -> bytes:
    """BLAKE2b of the parts, each prefixed by type and length so that ('ab', 'c') != ('a', 'bc')."""
    state = hashlib.blake2b(digest_size=size)
    for part in parts:
        if isinstance(part, int):
            tag, data = b"i", str(part).encode()
        elif isinstance(part, str):
            tag, data = b"s", part.encode("utf-8", "surrogatepass")
        else:
            tag, data = b"b", part
        state.update(tag + len(data).to_bytes(8, "little") + data)
    return state.digest()


def uint64(*parts: str | int | bytes) -> int:
    """A uniform 64-bit number, a function of the parts."""
    return int.from_bytes(digest(*parts, size=8), "little")


def sample_id(fingerprint: str, generation: int, index: int) -> str:
    """The id of one planned sample: 32 hex digits."""
    return digest("sample", fingerprint, generation, index, size=ID_BYTES).hex()


def request_seed(fingerprint: str, generation: int, index: int) -> int:
    """The sampling seed of one request: 31 bits, because some engines reject more."""
    return uint64("request", fingerprint, generation, index) >> 33


def canonical_json(value: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """The one JSON encoding that is hashed and stored: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode("utf-8", "surrogatepass")


def sha256_hex(data: bytes) -> str:
    """Content hash used for object names and the log's chain: 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def splitmix64(value: int) -> int:
    """A 64-bit number whose every bit depends on every bit of `value`, taken modulo 2^64: the
    finaliser of SplitMix64 (Steele et al. 2014), a bijection."""
    value &= _WORD
    value = ((value ^ (value >> 30)) * _M1) & _WORD
    value = ((value ^ (value >> 27)) * _M2) & _WORD
    return value ^ (value >> 31)


def splitmix64_words(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """`splitmix64` of each: unsigned words wrap by themselves."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(_M1)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(_M2)
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Permutation:
    """A keyed bijection of range(size) with random access: a Feistel network with cycle walking.

    A permuted order that is never materialised: position i of a 10^9-row shuffle costs a few
    microseconds and no memory. (Black and Rogaway 2002, "Ciphers with arbitrary finite domains".)
    """

    size: int
    key: int
    ROUNDS = 4

    def __call__(self, position: int) -> int:
        """The element at `position`; raises IndexError outside range(size)."""
        if not 0 <= position < self.size:
            raise IndexError(f"position {position} is outside a permutation of {self.size}")
        half = max(1, ((self.size - 1).bit_length() + 1) // 2)
        value = self._encrypt(position, half)
        while value >= self.size:
            value = self._encrypt(value, half)
        return value

    def _encrypt(self, value: int, half: int) -> int:
        mask = (1 << half) - 1
        left, right = value >> half, value & mask
        for round_number in range(self.ROUNDS):
            step = self.key + round_number * GOLDEN
            left, right = right, left ^ (splitmix64(right + step) & mask)
        return (left << half) | right
