"""The shipped Unicode table: whole, the one version, and what the interpreter says where it knows."""

import sys
import unicodedata
from importlib import resources

import pytest

from seedcorn.core.text.unicode_data import TABLE, parsed, unicode_data

DATA = unicode_data()
SHIPPED = resources.files("seedcorn.core.text").joinpath(TABLE).read_bytes()
VERSION = "15.0.0"
CHANGED = {0x180F, 0x1734, 0x1715}
"""Their category or order changed with the version."""
KNOWN = [
    code
    for code in range(sys.maxunicode + 1)
    if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co") and code not in CHANGED
]
CLASSES = {code: name for first, last, name in DATA.classes for code in range(first, last + 1)}
LETTERS = {"L": "L", "M": "M", "N": "N", "S": "S"}


def expected(code):
    """The class of a character by the interpreter's category; None where that does not decide."""
    category = unicodedata.category(chr(code))
    if category == "Nd":
        return "D"
    return LETTERS.get(category[0])


def test_table_is_of_one_named_version():
    assert VERSION in TABLE
    assert SHIPPED.startswith(b"# Derived from the Unicode Character Database " + VERSION.encode())


@pytest.mark.parametrize(
    "table",
    [
        b"",
        SHIPPED[:-1],
        SHIPPED[: len(SHIPPED) // 2],
        SHIPPED + b"41 61\n",
        SHIPPED.replace(b"\n", b"\r\n"),
    ],
    ids=["empty", "cut off", "half", "longer", "other line ends"],
)
def test_table_that_is_not_the_shipped_one_is_refused(table):
    with pytest.raises(ValueError, match=r"unicode-15.0.0.txt is cut off or has been changed"):
        parsed(table)


def test_table_of_another_version_is_refused():
    with pytest.raises(ValueError, match="install seedcorn again"):
        parsed(SHIPPED.replace(b"15.0.0", b"15.1.0"))


def test_classes_are_those_of_the_interpreter_for_every_character_it_knows():
    wrong = {
        hex(code): CLASSES.get(code)
        for code in KNOWN
        if CLASSES.get(code) not in ("I", "W") and CLASSES.get(code) != expected(code)
    }
    assert wrong == {}
    assert len(KNOWN) > 140_000


def test_white_space_is_that_of_unicode_and_every_separator_is_among_it():
    white = {code for code, name in CLASSES.items() if name == "W"}
    assert white == {
        *(9, 10, 11, 12, 13, 0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000),
        *range(0x2000, 0x200B),
    }
    assert white >= {code for code in KNOWN if unicodedata.category(chr(code))[0] == "Z"}


def test_invisible_characters_are_all_format_characters_but_visible_signs():
    invisible = {code for code, name in CLASSES.items() if name == "I"}
    format_ = {code for code in KNOWN if unicodedata.category(chr(code)) == "Cf"}
    seen = {
        0x600,
        0x601,
        0x602,
        0x603,
        0x604,
        0x605,
        0x6DD,
        0x70F,
        0x890,
        0x891,
        0x8E2,
        0x110BD,
        0x110CD,
    }
    assert format_ - invisible == seen
    assert {
        0xAD,
        0x200B,
        0x200D,
        0x2060,
        0xFEFF,
        0xFE0F,
        0x034F,
        0x115F,
        0x3164,
        0xE0041,
    } <= invisible
    assert not invisible & {code for code in KNOWN if unicodedata.category(chr(code))[0] in "PSN"}


def test_orders_and_decompositions_are_those_of_the_interpreter():
    orders = {code: order for first, last, order in DATA.orders for code in range(first, last + 1)}
    canonical = DATA.compose | DATA.decompose
    for code in KNOWN:
        assert orders.get(code, 0) == unicodedata.combining(chr(code)), hex(code)
        parts = unicodedata.decomposition(chr(code))
        said = (
            tuple(int(part, 16) for part in parts.split()) if parts and "<" not in parts else None
        )
        assert canonical.get(code) == said, hex(code)


def test_case_folding_is_that_of_the_interpreter():
    for code in KNOWN:
        said = chr(code).casefold()
        assert "".join(map(chr, DATA.fold.get(code, (code,)))) == said, hex(code)


def test_width_folding_is_that_of_the_interpreter():
    for code in KNOWN:
        parts = unicodedata.decomposition(chr(code)).split()
        wide = parts[:1] in (["<wide>"], ["<narrow>"])
        assert DATA.width.get(code) == ((int(parts[1], 16),) if wide else None), hex(code)


def test_mappings_are_closed_and_folding_twice_changes_nothing():
    for code, to in DATA.fold.items():
        again = tuple(point for one in to for point in DATA.fold.get(one, (one,)))
        assert again == to, hex(code)
    assert not DATA.compose.keys() & DATA.decompose.keys()
    assert all(len(parts) == 2 for parts in DATA.compose.values())
    assert len({*DATA.compose.values()}) == len(DATA.compose)
