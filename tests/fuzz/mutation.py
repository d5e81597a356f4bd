"""Mutations of bytes and text: deterministic for a seed, so that a failure can be repeated."""

import random

MAGIC = [
    *(
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\r",
        b"\n\n",
        b"${",
        b"}",
        b"&a ",
        b"*a",
    ),
    *(b"!!python/name:os.system ", b"{{", b"}}", b"{%", b"%}", b"[" * 50, b"{a: " * 30, b"\\ud800"),
    *(b"9" * 30, b"-1", b".nan", b"1e999", b"null", b"~", b"true", b'"', b"'", b": ", b"- ", b"#"),
    *(
        b"../",
        b"/etc/passwd",
        b"PAR1",
        b"\x7f\xff\xff\xff",
        b"${oc.env:HOME}",
        b"<<: ",
        b"? ",
        b"|",
    ),
]


def mutated(data: bytes, rng: random.Random) -> bytes:
    """`data` after one to four random edits."""
    for _ in range(rng.randint(1, 4)):
        data = _EDITS[rng.randrange(len(_EDITS))](data, rng)
    return data[: 1 << 16]


def _flip(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return data
    changed = bytearray(data)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _insert(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(MAGIC) + data[at:]


def _replace(data: bytes, rng: random.Random) -> bytes:
    start = rng.randint(0, len(data))
    stop = min(len(data), start + rng.randint(1, 12))
    return data[:start] + rng.choice(MAGIC) + data[stop:]


def _cut(data: bytes, rng: random.Random) -> bytes:
    start = rng.randint(0, len(data))
    return data[:start] + data[start + rng.randint(1, 40) :]


def _truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start = rng.randint(0, len(data))
    piece = data[start : start + rng.randint(1, 60)]
    return data[:start] + piece * rng.randint(1, 5) + data[start:]


def _noise(data: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.randbytes(rng.randint(1, 16)) + data[at:]


_EDITS = (_flip, _insert, _replace, _cut, _truncate, _repeat, _noise)
