"""Text rule 2: tokens of any script and notation, and what the exact same text is.

Tokens are runs of letters, marks, numbers and `_`. An apostrophe, a hyphen or a joiner stays inside
where both sides are of that kind; so do `.` and `,` between digits. Every symbol is a token of its
own, and so is a hyphen that joins nothing. In scripts written without spaces (Chinese, Japanese,
Thai, Lao, Khmer, Burmese, ...) every letter is a token with its marks. Before that a text is brought
to form C, then width and case are folded; other invisible format characters are dropped, and all
else separates. *Exact* is the text in form C with its white space folded, and nothing else.

Everything here is compiled and reads ASCII byte by byte; only a text with characters that form C
could change, or that might be out of order, is composed.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedcorn.core.text.buffers import decode, encode, grown, is_ascii, replaced
from seedcorn.core.text.composition import MAPPED, Composition, compose, composition
from seedcorn.core.text.hashing import mix64
from seedcorn.core.text.unicode_data import CODE_POINTS, UnicodeData, unicode_data

SYMBOLS = "#%&*/@\\"
"""Punctuation that is a token like the symbols of Unicode: operators and signs of code."""
APOSTROPHES, HYPHENS, JOINERS = "'\u2019", "-\u2010\u2011", "\u200c\u200d"
"""The first of each is what the others fold to; joiners stay as they are."""
UNSPACED = (
    (0x0E00, 0x0EFF),
    (0x1000, 0x109F),
    (0x1780, 0x17FF),
    (0x1950, 0x1B7F),
    (0x2E80, 0x312F),
    (0x3190, 0xA4CF),
    (0xA980, 0xA9FF),
    (0xAA60, 0xAADF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9F),
    (0x1B000, 0x1B16F),
    (0x20000, 0x3FFFF),
)
"""Blocks of scripts whose words are not set apart (Korean is: it has spaces)."""
LONGEST_FOLD = 3  # code points that one folds to, at most

_SEPARATOR, _LETTER, _DIGIT, _MARK, _LINK, _POINT, _SYMBOL = range(7)
_HYPHEN, _APOSTROPHE, _JOINER, _STOP, _INVISIBLE = range(7, 12)
_KIND = np.uint8(0x0F)
_WHITE, _SLOW, _ORDERED, _FOLDS = (np.uint8(bit) for bit in (0x10, 0x20, 0x40, 0x80))
_TOKEN_SEED = np.uint64(0x51A3C0F6B8D2E947)
_EXACT_SEED = np.uint64(0xC2D7A91E5B640F83)
_PRIME = np.uint64(0x9FB21C651E98DF25)
_EXACT_PRIME = np.uint64(0xA0761D6478BD642F)
_SPACE = np.uint64(0x20)
_NOT_UTF8 = 0xFFFD


class Tables(NamedTuple):
    """What the kernel looks up."""

    flags: NDArray[np.uint8]
    """[0x110000]: kind in the low half; white space, needs composing, has an order, folds."""
    fold: NDArray[np.int32]
    """[MAPPED]: the folded code point, or -1 - k for the `folds[k]` code points after k."""
    folds: NDArray[np.int32]
    plain: NDArray[np.uint8]
    """[256]: the lower-case byte of ASCII letters, digits and `_`; 0 for all else."""
    forms: Composition


@cache
def tables() -> Tables:
    """The tables, built on first use (some 0.1 s), then shared by all threads."""
    data, forms = unicode_data(), composition()
    flags = _kinds(data)
    flags[:MAPPED][forms.order > 0] |= _ORDERED
    slow = {pair[1] for pair in data.compose.values()} | set(data.decompose)
    slow |= {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
    fold, folds = np.arange(MAPPED, dtype=np.int32), list[int]()
    for code, to in _folded(data):
        flags[code] = (flags[code] & ~_KIND) | (flags[to[0]] & _KIND) | _FOLDS
        if any(forms.order[point] or point in slow for point in to):
            slow.add(code)
        fold[code] = to[0] if len(to) == 1 else -1 - len(folds)
        folds += [len(to), *to] if len(to) > 1 else []
    flags[sorted(slow)] |= _SLOW
    plain = np.zeros(256, np.uint8)
    for code in np.flatnonzero((flags[:128] & _KIND == _LETTER) | (flags[:128] & _KIND == _DIGIT)):
        plain[code] = fold[code]
    return Tables(flags, fold, np.array(folds, np.int32), plain, forms)


def _kinds(data: UnicodeData) -> NDArray[np.uint8]:
    flags = np.zeros(CODE_POINTS, np.uint8)
    of = {"L": _LETTER, "N": _LETTER, "M": _MARK, "D": _DIGIT, "S": _SYMBOL, "I": _INVISIBLE}
    for first, last, name in data.classes:
        flags[first : last + 1] = _WHITE if name == "W" else of[name]
    for first, last in UNSPACED:
        part = flags[first : last + 1]
        part[part == _LETTER] = _POINT
    single = {"_": _LETTER, ".,": _STOP, SYMBOLS: _SYMBOL}
    single |= {APOSTROPHES: _APOSTROPHE, HYPHENS: _HYPHEN, JOINERS: _JOINER}
    for characters, kind in single.items():
        flags[[ord(character) for character in characters]] = kind
    return flags


def _folded(data: UnicodeData) -> Iterator[tuple[int, tuple[int, ...]]]:
    """(code point, what it folds to) for all that do not stay as they are."""
    signs = {ord(c): (ord(known[0]),) for known in (APOSTROPHES, HYPHENS) for c in known[1:]}
    known = data.width | signs
    for code in sorted({*known, *data.fold}):
        usual = known.get(code, (code,))
        yield code, tuple(to for point in usual for to in data.fold.get(point, (point,)))


@njit(nogil=True, cache=True)
def read(
    data: NDArray[Any], offsets: NDArray[Any], known: Any
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(token hashes, starts, counts, unspaced, exact hashes) of all documents."""
    n = offsets.size - 1
    starts, counts = np.zeros(n, np.int64), np.zeros(n, np.int64)
    unspaced, exact = np.zeros(n, np.bool_), np.zeros(n, np.uint64)
    hashes = np.empty((offsets[n] - offsets[0]) // 4 + 64, np.uint64)
    used = 0
    for i in range(n):
        text = data[offsets[i] : offsets[i + 1]]
        starts[i] = used
        if is_ascii(text) or not _needs_composing(text, known):
            hashes = grown(hashes, used, text.size)
            counts[i], alone, exact[i] = _tokens(text, known, hashes[used:])
        else:
            exact[i], text = _composed(text, known)
            hashes = grown(hashes, used, text.size)
            counts[i], alone, _ = _tokens(text, known, hashes[used:])
        unspaced[i] = 2 * alone > counts[i]
        used += counts[i]
    return hashes[:used], starts, counts, unspaced, exact


@njit(nogil=True, cache=True)
def _needs_composing(text: NDArray[Any], known: Any) -> bool:
    """Whether form C could change the text, or its folded one, or it is not UTF-8."""
    flags_of, order_of = known.flags, known.forms.order
    at, last = 0, 0
    while at < text.size:
        if text[at] < 0x80:
            at += 1
            last = 0
            continue
        flags, point, at = _next(text, at, flags_of)
        if flags & _SLOW:
            return True
        if flags & _ORDERED:
            order = np.int64(order_of[point])
            if order < last:
                return True
            last = order
        elif flags & _KIND != _INVISIBLE:
            last = 0
    return False


@njit(nogil=True, cache=True)
def _composed(text: NDArray[Any], known: Any) -> tuple[Any, NDArray[Any]]:
    """(exact hash of a text, the text in form C and folded)."""
    flags_of = known.flags
    points = np.empty(text.size, np.int32)
    size = at = 0
    while at < text.size:
        point, width = decode(text, at)
        points[size] = _NOT_UTF8 if point < 0 else point
        at += replaced(text, at) if point < 0 else width
        size += 1
    points = compose(points[:size], known.forms)
    exact, apart = _EXACT_SEED, False
    folded = np.empty(points.size * LONGEST_FOLD, np.int32)
    size = 0
    for point in points:
        flags = flags_of[point]
        exact, apart = _stepped(exact, apart, point, flags)
        if flags & _KIND != _INVISIBLE:
            size = _put_folded(point, flags, known, folded, size)
    return mix64(exact), encode(compose(folded[:size], known.forms))


@njit(nogil=True, cache=True)
def _put_folded(point: Any, flags: Any, known: Any, out: NDArray[Any], size: int) -> int:
    to = known.fold[point] if flags & _FOLDS else np.int32(point)
    if to >= 0:
        out[size] = to
        return size + 1
    for source in range(-to, -to + known.folds[-1 - to]):
        out[size] = known.folds[source]
        size += 1
    return size


@njit(nogil=True, cache=True)
def _next(text: NDArray[Any], at: int, flags_of: NDArray[Any]) -> tuple[Any, Any, int]:
    """(flags, code point, where the next one is); U+FFFD, to be composed, where it is not UTF-8."""
    if text[at] < 0x80:
        point = np.int64(text[at])
        return flags_of[point], point, at + 1
    point, width = decode(text, at)
    if point < 0:
        return _SLOW, np.int64(_NOT_UTF8), at + width
    return flags_of[point], point, at + width


@njit(nogil=True, cache=True)
def _stepped(exact: Any, apart: bool, point: Any, flags: Any) -> tuple[Any, bool]:
    """The exact hash after one more code point; `apart`: white space stands before it."""
    if flags & _WHITE:
        return exact, exact != _EXACT_SEED
    if apart:
        exact = (exact ^ _SPACE) * _EXACT_PRIME
    return (exact ^ np.uint64(point)) * _EXACT_PRIME, False


@njit(nogil=True, cache=True)
def _tokens(  # noqa: C901, PLR0915
    text: NDArray[Any], known: Any, out: NDArray[Any]
) -> tuple[int, int, Any]:
    """(tokens hashed into `out`, how many of them are characters of scripts without spaces, exact
    hash) of a text in form C.

    One loop on purpose: cut into functions that take the tables, it was ten times slower.
    """
    state, exact, apart, found, alone, at = _TOKEN_SEED, _EXACT_SEED, False, 0, 0, 0
    after, looked = _SEPARATOR, -1  # kind of the next character that is not dropped, and where
    last = _SEPARATOR  # kind of the last character of the open token; none is open without
    single = False  # the open token is one character of such a script, with its marks
    flags_of, fold, folds, plain = known.flags, known.fold, known.folds, known.plain
    while at < text.size:
        if last == _SEPARATOR and plain[text[at]]:  # A plain word: most of most texts.
            if apart:
                exact, apart = (exact ^ _SPACE) * _EXACT_PRIME, False
            state, exact, at = _run(text, at, plain, state, exact)
            if at < text.size and text[at] == _SPACE:
                out[found] = mix64(state)
                found += 1
                state, apart, at = _TOKEN_SEED, True, at + 1
            else:
                last = np.int64(flags_of[text[at - 1]] & _KIND)
            continue
        flags, point, at = _next(text, at, flags_of)
        exact, apart = _stepped(exact, apart, point, flags)
        kind = np.int64(flags & _KIND)
        if kind >= _HYPHEN and kind != _INVISIBLE:
            if at > looked:
                after, looked = _kind_after(text, at, flags_of)
            kind = _resolved(kind, last, after, single)
        if kind == _INVISIBLE:
            continue
        if last and _closes(kind, last, single):
            out[found] = mix64(state)
            found += 1
            alone += single
            last, state, single = _SEPARATOR, _TOKEN_SEED, False
        if kind == _SEPARATOR:
            continue
        if flags & _FOLDS:
            state = _fed(state, point, fold, folds)
        else:
            state = (state ^ np.uint64(point)) * _PRIME
        last = kind
        single |= kind == _POINT
        if _LETTER <= kind <= _DIGIT:
            begun = at
            state, exact, at = _run(text, at, plain, state, exact)
            if at > begun:
                last = np.int64(flags_of[text[at - 1]] & _KIND)
    if last:
        out[found] = mix64(state)
        found += 1
        alone += single
    return found, alone, mix64(exact)


@njit(nogil=True, cache=True)
def _run(
    text: NDArray[Any], at: int, plain: NDArray[Any], state: Any, exact: Any
) -> tuple[Any, Any, int]:
    """Both hashes after the ASCII letters, digits and `_` from here on: most of most texts."""
    while at < text.size:
        lower = plain[text[at]]
        if lower == 0:
            break
        state = (state ^ np.uint64(lower)) * _PRIME
        exact = (exact ^ np.uint64(text[at])) * _EXACT_PRIME
        at += 1
    return state, exact, at


@njit(nogil=True, cache=True)
def _fed(state: Any, point: Any, fold: NDArray[Any], folds: NDArray[Any]) -> Any:
    """The hash of the open token after one more code point, folded."""
    to = fold[point]
    if to >= 0:
        return (state ^ np.uint64(to)) * _PRIME
    for source in range(-to, -to + folds[-1 - to]):
        state = (state ^ np.uint64(folds[source])) * _PRIME
    return state


@njit(nogil=True, cache=True)
def _inside(kind: Any) -> bool:
    """Whether a joiner may stand beside a character of this kind."""
    return _LETTER <= kind <= _MARK


@njit(nogil=True, cache=True)
def _closes(kind: Any, last: Any, single: bool) -> bool:
    """Whether a character of this kind ends the token that is open."""
    return kind == _SEPARATOR or kind >= _POINT or last == _SYMBOL or (single and kind != _MARK)


@njit(nogil=True, cache=True)
def _resolved(kind: Any, last: Any, after: Any, single: bool) -> Any:
    """What a hyphen, apostrophe, joiner or stop is here: in a token, a symbol, between, nothing."""
    if kind == _STOP:
        return _LINK if last == _DIGIT and after == _DIGIT else _SEPARATOR
    inside = _inside(last) and _inside(after) and not single
    if kind == _JOINER:
        return _LETTER if inside else _INVISIBLE
    if inside:
        return _LINK
    beside = _inside(last) or last == _POINT
    if kind == _HYPHEN and not (beside and (_inside(after) or after == _POINT)):
        return _SYMBOL
    return _SEPARATOR


@njit(nogil=True, cache=True)
def _kind_after(text: NDArray[Any], at: int, flags_of: NDArray[Any]) -> tuple[Any, int]:
    """Kind of the next character that is not dropped, and where it is; a separator at the end."""
    while at < text.size:
        flags, _, behind = _next(text, at, flags_of)
        kind = np.int64(flags & _KIND)
        if kind != _INVISIBLE and kind != _JOINER:
            return kind, at
        at = behind
    return np.int64(_SEPARATOR), at
