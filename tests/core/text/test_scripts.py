"""Text rule 2 on text of nearly thirty scripts: written for the tests, and as translations here have it."""
# ruff: noqa: RUF001 - odd characters are the subject

import re
import unicodedata

import pytest

from tests.core.text.reference import exact, is_mark, kernel, plain, tokens
from tests.texts.scripts import SCRIPTS
from tests.texts.translations import translations

CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
LEAST = 20
"""Translations of a language that are worth a test."""


def spaced_out(text):
    """The text with other white space around and between its words."""
    return "\u2003 \n" + text.replace(" ", " \u00a0\t ") + "\r\n\u3000"


def in_place(text):
    """Whether all marks stand behind a letter, a number, a sign inside a word, or another mark."""
    before = ""
    for character in text:
        if is_mark(character) and not (before and unicodedata.category(before)[0] in "LMN"):
            return False
        before = character if unicodedata.category(character) != "Cf" else before
    return True


@pytest.fixture(params=SCRIPTS, ids=str)
def script(request):
    return SCRIPTS[request.param]


@pytest.fixture
def real(script):
    """Texts that people translated, with the written one among them."""
    found = [text for text in translations(script.language) if not CONTROL.search(text)]
    if len(found) < LEAST:
        pytest.skip(f"no translations into {script.language!r} (*.mo) are installed here")
    return [*found, script.text]


def test_marks_of_written_text_stay_in_their_words(script):
    found = tokens(script.text)
    assert not any(is_mark(token[0]) for token in found)
    letters = sum(unicodedata.category(c)[0] in "LMN" for c in script.text)
    assert sum(map(len, found)) == letters + sum("\u200d" in token for token in found)
    assert kernel([script.text])[0][1] == (not script.spaced)


def test_words_of_spaced_written_text_are_those_between_its_spaces(script):
    words = [word.strip(".,։።।॥᠃།") for word in script.text.split()]
    if script.spaced and "་" not in script.text:
        assert len(tokens(script.text)) == len([word for word in words if word])
    else:
        assert len(tokens(script.text)) > 2 * len(words)


def test_any_mark_left_out_makes_another_token_and_another_text(script):
    marks = [at for at, c in enumerate(script.text) if is_mark(c)]
    for at in marks:
        fewer = script.text[:at] + script.text[at + 1 :]
        assert tokens(fewer) != tokens(script.text)
        assert exact(fewer) != exact(script.text)


def test_pair_that_differs_in_one_sign_is_of_two_tokens_and_two_texts(script):
    one, other = script.pair
    assert one != other
    assert tokens(one) != tokens(other)
    assert exact(one) != exact(other)
    left, right = (tokens(f"{script.text} {word} {script.text}") for word in script.pair)
    assert sum(a != b for a, b in zip(left, right, strict=True)) == 1


def test_other_forms_and_spaces_of_written_text_are_the_same_text(script):
    expected = kernel([script.text])
    for form in ("NFC", "NFD"):
        assert kernel([unicodedata.normalize(form, script.text)]) == expected
        assert kernel([spaced_out(unicodedata.normalize(form, script.text))]) == expected


@pytest.mark.parametrize("name", ["Latin", "Cyrillic", "Greek", "Armenian", "Georgian"])
def test_capitals_of_written_text_are_near_but_not_exact(name):
    text = SCRIPTS[name].text
    assert tokens(text.upper()) == tokens(text)
    assert exact(text.upper()) != exact(text)


def test_translations_are_read_as_the_second_writing_reads_them(real):
    assert kernel(real) == [plain(text)[1] for text in real]


def test_translations_in_form_d_and_with_more_spaces_are_the_same_texts(real):
    expected = kernel(real)
    assert kernel([unicodedata.normalize("NFD", text) for text in real]) == expected
    assert kernel([unicodedata.normalize("NFC", spaced_out(text)) for text in real]) == expected


def test_marks_of_translations_stay_in_their_words(real):
    placed = [text for text in real if in_place(text)]
    assert len(placed) > 0.9 * len(real)
    for text in placed:
        assert not any(is_mark(token[0]) for token in plain(text)[0].words), text


def test_different_translations_are_exactly_the_same_only_in_their_spaces(real):
    folded = {" ".join(unicodedata.normalize("NFC", text).split()) for text in real}
    assert len({hashed for *_, hashed in kernel(real)}) == len(folded)
