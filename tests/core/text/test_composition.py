"""Form C from the shipped Unicode version, against the interpreter's for what both know."""
# ruff: noqa: RUF001 - odd characters are the subject

import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.text.composition import MAPPED, compose, composition
from seedcorn.core.text.unicode_data import unicode_data
from seedcorn.core.verify.reading import composed_form

KNOWN = {
    code
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
}
DATA = unicode_data()
SECONDS = sorted({parts[1] for parts in DATA.compose.values()})
MARKS = sorted(
    code for first, last, _ in DATA.orders for code in range(first, last + 1) if code in KNOWN
)
PIECES = st.sampled_from(
    [chr(code) for code in (*SECONDS, *MARKS[::7], *DATA.decompose) if code in KNOWN]
)
BASES = st.sampled_from("aeoAIkΑωकকஎමကか각가ᄀאا\u0915\u09c7\u0b47\u1025\U00011131ﬁ1= ")


def form_c(text):
    points = np.array([ord(character) for character in text], np.int32)
    return "".join(map(chr, compose(points, composition())))


def test_every_single_character_has_the_form_that_python_gives_it():
    text = " ".join(map(chr, sorted(KNOWN)))
    assert form_c(text) == unicodedata.normalize("NFC", text)


def test_every_decomposition_composes_as_python_composes_it():
    texts = [unicodedata.normalize("NFD", chr(code)) for code in sorted(KNOWN) if code < MAPPED]
    changed = [text for text in texts if len(text) > 1]
    assert len(changed) > 12_000
    for text in changed:
        assert form_c(text) == unicodedata.normalize("NFC", text), ascii(text)


@given(st.lists(BASES | PIECES, max_size=10).map("".join))
@settings(max_examples=500, deadline=None)
def test_marks_in_any_order_compose_as_in_python_and_in_the_second_writing(text):
    expected = unicodedata.normalize("NFC", text)
    assert form_c(text) == expected
    assert composed_form(text) == expected
    assert form_c(expected) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("\u0301", "\u0301"),
        ("a\u0323\u0307", "\u1ea1\u0307"),
        ("a\u0307\u0323", "\u1ea1\u0307"),
        ("a\u0327\u0328\u0301", "\u00e1\u0327\u0328"),
        ("\u0915\u093c", "\u0915\u093c"),
        ("\u0958", "\u0915\u093c"),
        ("\u1100\u1161\u11a8\u11a8", "\uac01\u11a8"),
        ("\uac00\u11a7", "\uac00\u11a7"),
        ("\u1100\u0301\u1161", "\u1100\u0301\u1161"),
        ("\U0001d15e", "\U0001d157\U0001d165"),
        ("\u0f73", "\u0f71\u0f72"),
        ("\U000e0041\u0301", "\U000e0041\u0301"),
    ],
)
def test_text_has_this_form(text, expected):
    assert form_c(text) == expected


def test_long_run_of_marks_is_sorted_stably():
    n = 50_000
    text = "a" + "\u0301\u0323\u0300\u0327" * n
    assert form_c(text) == "\u1ea1" + "\u0327" * n + "\u0323" * (n - 1) + "\u0301\u0300" * n
