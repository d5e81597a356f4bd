"""What a text's words are, written a second time for the proofs: plainly, one text at a time.

Nothing is shared with the kernels of `core.text` but the Unicode table; a property test holds both
against each other. Under rule 2 a text becomes form C, is folded, and its kinds, one letter per
character, are matched by a regular expression.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from seedcorn.core.text.unicode_data import CODE_POINTS, unicode_data

SHINGLE, UNSPACED_SHINGLE = 5, 8
FIRST = 1
"""The number of the first text rule."""

_WORD = re.compile(r"\w+")
_UNSPACED_1 = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u1b7f\u2e80-\u312f\u3190-\ua4cf"
    "\ua980-\ua9df\uf900-\ufaff\U00020000-\U0003ffff]"
)
_UNSPACED_2 = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u1b7f\u2e80-\u312f\u3190-\ua4cf"
    "\ua980-\ua9ff\uaa60-\uaadf\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff]"
)
_SIGNS = {"'": "a", "\u2019": "a", "-": "h", "\u2010": "h", "\u2011": "h", ".": "t", ",": "t"}
_SIGNS |= {"\u200c": "j", "\u200d": "j", "_": "L", **dict.fromkeys("#%&*/@\\", "S")}
_TOKEN = re.compile(
    "P(?:j*M)*|[LNDM](?:[LNDM]|[ahj](?=j*[LNDM])|(?<=D)t(?=j*D))*|S|(?<![LNDMP])h|h(?![LNDMP])"
)
"""Over kinds: P a character of a script without spaces, L N D M S W I as in the Unicode table, and
apostrophe, hyphen, stop and joiner."""
_JOINERS = re.compile("(?P<inside>(?<=[LNDM])j+(?=[LNDM]))|j+")
_S, _L, _V, _T = 0xAC00, 0x1100, 0x1161, 0x11A7


class Read(NamedTuple):
    """One text as the recheck takes it."""

    words: Sequence[str]
    length: int
    """Words per shingle."""
    text: str
    """Equal in texts that are exactly the same."""


def read(text: str, rule: int) -> Read:
    """The text under a text rule."""
    if rule == FIRST:
        return _read_first(text)
    composed = composed_form(text)
    folded = _joined(composed_form(_folded(composed)))
    kinds = _kinds(folded)
    words, alone = list[str](), 0
    for match in _TOKEN.finditer(kinds):
        word = folded[match.start() : match.end()]
        single = match[0].startswith("P")
        words.append(re.sub("[\u200c\u200d]", "", word) if single else word)
        alone += single
    length = UNSPACED_SHINGLE if 2 * alone > len(words) else SHINGLE
    return Read(words, length, " ".join(_apart(composed)))


def _read_first(text: str) -> Read:
    """NFKC, lower case, `\\w+`; characters where a quarter of them need no spaces."""
    words = _WORD.findall(unicodedata.normalize("NFKC", text).lower())
    characters = "".join(words)
    if len(_UNSPACED_1.findall(characters)) * 4 >= max(1, len(characters)):
        return Read(characters, UNSPACED_SHINGLE, " ".join(characters))
    return Read(words, SHINGLE, " ".join(words))


def _folded(text: str) -> str:
    """Width and case folded, invisible characters but joiners dropped."""
    kinds = _kinds(text)
    seen = "".join(c for c, kind in zip(text, kinds, strict=True) if kind != "I")
    return seen.lower() if seen.isascii() else seen.translate(_folding())


def _joined(text: str) -> str:
    """Without the joiners that stand anywhere but inside a word."""
    parts, end = list[str](), 0
    for match in _JOINERS.finditer(_kinds(text)):
        parts += [text[end : match.start()], text[match.start() : match.end()]]
        if not match["inside"]:
            parts.pop()
        end = match.end()
    return "".join([*parts, text[end:]])


def _apart(text: str) -> Iterable[str]:
    """The stretches between white space."""
    return (text[m.start() : m.end()] for m in re.finditer("[^W]+", _kinds(text)))


def _kinds(text: str) -> str:
    """One letter per character."""
    return bytes(map(_table().__getitem__, map(ord, text))).decode()


@cache
def _table() -> bytes:
    table = bytearray(b"." * CODE_POINTS)
    for first, last, name in unicode_data().classes:
        table[first : last + 1] = name.encode() * (last + 1 - first)
    for code in range(CODE_POINTS):
        if table[code] in b"LN" and code > 0xE00 and _UNSPACED_2.match(chr(code)):
            table[code] = ord("P")
    for character, kind in _SIGNS.items():
        table[ord(character)] = ord(kind)
    return bytes(table)


@cache
def _folding() -> dict[int, str]:
    data = unicode_data()
    fold = {code: "".join(map(chr, to)) for code, to in data.fold.items()}
    usual = {code: chr(to[0]) for code, to in data.width.items()}
    usual |= {0x2019: "'", 0x2010: "-", 0x2011: "-"}
    return fold | {code: fold.get(ord(to), to) for code, to in usual.items()}


def composed_form(text: str) -> str:
    """Form C by the shipped Unicode version."""
    if text.isascii():
        return text
    return "".join(_recomposed(_ordered(_decomposed(text))))


def _decomposed(text: str) -> list[str]:
    out = list[str]()
    for character in text:
        code = ord(character) - _S
        if 0 <= code < 11172:
            parts = _L + code // 588, _V + code % 588 // 28, _T + code % 28
            out += map(chr, parts if code % 28 else parts[:2])
        else:
            out += _canonical().get(character, character)
    return out


@cache
def _canonical() -> dict[str, str]:
    data = unicode_data()
    pairs = {
        chr(code): "".join(map(chr, to)) for code, to in (data.compose | data.decompose).items()
    }

    def whole(text: str) -> str:
        return "".join(whole(pairs[c]) if c in pairs else c for c in text)

    return {character: whole(to) for character, to in pairs.items()}


@cache
def _orders() -> dict[str, int]:
    ranges = unicode_data().orders
    return {chr(code): order for first, last, order in ranges for code in range(first, last + 1)}


def _ordered(characters: list[str]) -> list[str]:
    """Every run of marks by its class, equal ones as they stand."""
    orders, out, run = _orders(), list[str](), list[str]()
    for character in [*characters, ""]:
        if character in orders:
            run.append(character)
            continue
        out += [*sorted(run, key=orders.__getitem__), character]
        run = []
    return out[:-1]


def _recomposed(characters: list[str]) -> list[str]:
    orders, pairs, out = _orders(), _pairs(), list[str]()
    starter, last = -1, 0
    for character in characters:
        order = orders.get(character, 0)
        if starter >= 0 and (starter == len(out) - 1 or 0 < last < order):
            whole = _syllable(out[starter], character) or pairs.get(out[starter] + character)
            if whole:
                out[starter] = whole
                continue
        starter, last = (starter if order else len(out)), order
        out.append(character)
    return out


@cache
def _pairs() -> dict[str, str]:
    return {"".join(map(chr, to)): chr(code) for code, to in unicode_data().compose.items()}


def _syllable(first: str, second: str) -> str:
    """The Hangul syllable that two parts make, if they do."""
    lead, after = ord(first) - _L, ord(second)
    if 0 <= lead < 19 and 0 <= after - _V < 21:
        return chr(_S + (lead * 21 + after - _V) * 28)
    syllable = ord(first) - _S
    if 0 <= syllable < 11172 and syllable % 28 == 0 and 0 < after - _T < 28:
        return chr(ord(first) + after - _T)
    return ""
