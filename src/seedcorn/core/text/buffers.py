"""Text buffers as the kernels take them: UTF-8 bytes end to end, and where each document begins."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def pack(pieces: list[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Documents laid end to end as (data, offsets)."""
    offsets = np.zeros(len(pieces) + 1, np.int64)
    np.cumsum([len(piece) for piece in pieces], out=offsets[1:])
    return np.frombuffer(b"".join(pieces), np.uint8), offsets


def read_only(array: NDArray[Any], dtype: type[np.generic] | None = None) -> NDArray[Any]:
    """The array as one dtype, C-ordered, read-only: numba compiles a kernel anew for each kind."""
    view = np.ascontiguousarray(array, dtype).view()
    view.flags.writeable = False
    return view


def checked(
    data: NDArray[np.uint8], offsets: NDArray[Any]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Both in the one form the kernels are compiled for; raises ValueError for offsets that do not fit."""
    if data.dtype != np.uint8 or data.ndim != 1 or offsets.ndim != 1:
        raise ValueError(
            f"expected uint8[:] and int[n + 1], got {data.dtype}[{data.ndim}-d] and "
            f"{offsets.dtype}[{offsets.ndim}-d]: pass the Arrow buffers as flat numpy views"
        )
    wide = offsets.astype(np.int64) if offsets.size else np.zeros(1, np.int64)
    if wide[0] < 0 or wide[-1] > data.size or np.any(wide[1:] < wide[:-1]):
        raise ValueError(
            f"offsets from {wide[0]} to {wide[-1]} do not cut a buffer of {data.size} bytes into "
            "documents: they must not decrease nor leave the buffer"
        )
    return read_only(data), wide


@njit(nogil=True, cache=True)
def grown(array: NDArray[Any], used: int, more: int) -> NDArray[Any]:
    """The array itself, or a copy of its used part in one twice as large."""
    if used + more < array.size:
        return array
    bigger = np.empty(2 * (used + more + 1), array.dtype)
    for k in range(used):
        bigger[k] = array[k]
    return bigger


@njit(nogil=True, cache=True)
def is_ascii(text: NDArray[Any]) -> Any:
    seen = np.uint8(0)
    for byte in text:
        seen |= byte
    return seen < 0x80


@njit(nogil=True, cache=True)
def decode(text: NDArray[Any], at: int) -> tuple[Any, int]:
    """(code point, bytes) at `at`; (-1, 1) for what is not UTF-8."""
    lead = np.int64(text[at])
    if lead < 0x80:
        return lead, 1
    width = 2 if lead < 0xE0 else (3 if lead < 0xF0 else 4)
    if lead < 0xC2 or lead > 0xF4 or at + width > text.size:
        return -1, 1
    point = lead & (0xFF >> (width + 1))
    for k in range(1, width):
        byte = np.int64(text[at + k])
        if byte & 0xC0 != 0x80:
            return -1, 1
        point = (point << 6) | (byte & 0x3F)
    if width == 2 or 0xE000 <= point < 0x10000 or 0x800 <= point < 0xD800:
        wrong = width == 4  # The common case is told first: this is the kernel's innermost line.
    else:
        wrong = width == 3 or point < 0x10000 or point > 0x10FFFF
    return (-1, 1) if wrong else (point, width)


@njit(nogil=True, cache=True)
def replaced(text: NDArray[Any], at: int) -> int:
    """How many bytes at `at`, which are not UTF-8, Python replaces by one U+FFFD: those that begin a
    character and do not end it."""
    lead = np.int64(text[at])
    width = 2 if lead < 0xE0 else (3 if lead < 0xF0 else 4)
    if lead < 0xC2 or lead > 0xF4:
        return 1
    point, read = lead & (0xFF >> (width + 1)), 1
    while read < min(width, text.size - at) and text[at + read] & 0xC0 == 0x80:
        point = (point << 6) | np.int64(text[at + read] & 0x3F)
        read += 1
    least = point << 6 * (width - read)
    if width == 3:
        return 1 if least < 0x800 or least >> 11 == 0x1B else read
    return 1 if width == 4 and not 0x10000 <= least <= 0x10FFFF else read


@njit(nogil=True, cache=True)
def encode(points: NDArray[Any]) -> NDArray[Any]:
    """int32[n] code points → uint8[m], their UTF-8."""
    out = np.empty(4 * points.size, np.uint8)
    size = 0
    for point in points:
        if point < 0x80:
            out[size] = point
            size += 1
            continue
        more = 1 if point < 0x800 else (2 if point < 0x10000 else 3)
        out[size] = (0xF0 << (3 - more) & 0xFF) | (point >> 6 * more)
        for k in range(more):
            out[size + 1 + k] = 0x80 | (point >> 6 * (more - 1 - k) & 0x3F)
        size += more + 1
    return out[:size]
