"""The normaliser, and that its tables never disagree with it."""
# ruff: noqa: RUF001 - odd characters are the subject

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.text.normaliser import (
    EXPANSION,
    TABLE_SIZE,
    ascii_table,
    normalise,
    normalise_bytes,
    tables,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  ...!?  ", ""),
        ("The  Quick\tbrown\n\nFOX_1", "the quick brown fox_1"),
        ("“It’s” — really…", "it s really"),
        ("CAFÉ cafe\u0301 ﬁne ２０２４ ½", "café café fine 2024 1 2"),
        ("ΟΔΟΣ", "οδος"),
        ("İstanbul", "i stanbul"),
        ("\u0301\u0301", ""),
        ("a\0b\x1cc", "a b c"),
        ("日本語、テスト。", "日本語 テスト"),
    ],
)
def test_normalise_known_text_gives_its_words(text, expected):
    assert normalise(text) == expected


@settings(deadline=None)
@given(st.text(max_size=60))
def test_normalise_its_own_output_changes_nothing(text):
    assert normalise(normalise(text)) == normalise(text)


def test_normalise_long_text_is_the_same_in_chunks():
    unit = "a\u0301 \u0301b ΑΣ ΑΣ. Σ \u1100\u1161\u11a8 x\u0323\u0307 "
    text = unit * 4000
    whole = unicodedata.normalize("NFKC", text).lower()
    assert normalise(text) == " ".join(re.findall(r"\w+", whole))
    assert normalise(text).startswith("á b ας ας σ 각")


def test_normalise_bytes_invalid_utf8_separates_words():
    assert normalise_bytes(b"one\xfftwo\xe2\x82three\xed\xa0\x80four") == b"one two three four"


def test_tables_single_code_point_agrees_with_normalise():
    table = tables()
    pool = table.pool.tobytes()
    for code in [*range(0x80, 0x3400), *range(0xF900, 0x10000), *range(0x1D400, 0x1FC00)]:
        entry = pool[table.starts[code] : table.starts[code + 1]]
        if entry:
            assert entry.decode().split() == normalise(chr(code)).split(), hex(code)
            assert len(entry) <= EXPANSION * len(chr(code).encode())


def test_tables_common_typography_and_scripts_are_decided_without_python():
    table = tables()
    for char in "“”‘’–—…•éÉßøñ™½²а日のข하אع😀→≤\u00a0\u200b":
        assert table.starts[ord(char)] < table.starts[ord(char) + 1], char


def test_tables_context_dependent_characters_are_left_to_normalise():
    table = tables()
    for char in "\u0301\u0308\u03a3\u1161\u11a8\u3099\uff9e":
        assert table.starts[ord(char)] == table.starts[ord(char) + 1], hex(ord(char))


_TABLED = np.flatnonzero(tables().starts[1:] > tables().starts[:-1]).tolist()
_MARKS = [code for code in _TABLED if unicodedata.combining(chr(code))]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_TABLED) | st.sampled_from(_MARKS) | st.integers(0, 127)))
def test_tables_any_mixture_of_decided_code_points_agrees_with_normalise(codes):
    table = tables()
    folded = b"".join(
        chr(c).lower().encode()
        if c < 128
        else bytes(table.pool[table.starts[c] : table.starts[c + 1]])
        for c in codes
    )
    assert normalise_bytes(folded).split() == normalise("".join(map(chr, codes))).encode().split()


def test_ascii_table_every_byte_is_a_lower_case_word_byte_or_a_separator():
    table = ascii_table()
    for byte in range(128):
        word = normalise(chr(byte))
        assert table[byte] == (ord(word) if word else 0)
    assert (table[128:] == np.arange(128, 256)).all()
    assert TABLE_SIZE > 0x1FAFF
