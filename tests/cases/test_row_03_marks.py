"""Vowel signs and other marks belong to their words: pairs that one mark parts are kept apart."""

import unicodedata

import pytest

from tests.cases.running import seedcorn
from tests.cases.serving import grow_answers
from tests.core.text.reference import are_kept_apart, tokens
from tests.texts.scripts import SCRIPTS

KEPT_APART = {
    "Hindi": ["घर का काम", "घर की कमी", "घर के काम", "घर को कम", "घर कि काम"],
    "Marathi": ["तो मला पाणी देतो", "ती मला पाणी देते", "तू मला पणि देतो"],
    "Tamil": ["மரம் உயரம்", "மாரம் உயரம்", "மரமு உயரம்", "மிரம் உயரம்"],
    "Thai": ["มา ดี ที่ นี่", "มี ดี ที่ นี่", "มา ดู ที่ นี่", "มา ดี ที นี่", "ม้า ดี ที่ นี่"],
    "Bengali": ["আমি কাল যাব", "আমি কালো যাব", "আমি কাল যাবে", "আমী কাল যাব"],
    "Sinhala": ["මම ගම යමි", "මම ගිම යමි", "මම ගම යමු"],
    "Khmer": ["គាត់មក", "គិត់មក", "គាត់មិក"],
    "Burmese": ["သူလာ", "သူလိ", "သိလာ"],
    "Hebrew": ["הַסֵּפֶר טוֹב", "הַסַּפָּר טוֹב", "הַסֵּפֶר טוּב"],
    "Arabic": ["كَتَبَ الدَّرْسَ", "كُتِبَ الدَّرْسُ", "كَتَّبَ الدَّرْسَ"],
    "Vietnamese": ["ma", "má", "mà", "mả", "mã", "mạ"],
    "Kana": ["はしをわたる", "ばしをわたる", "ぱしをわたる"],
    "Tibetan": ["མི་ཡིན", "མེ་ཡིན", "མུ་ཡིན"],
}
"""Short answers; any two of one language differ in marks alone."""


@pytest.mark.parametrize("language", KEPT_APART)
def test_answers_that_differ_in_a_mark_are_no_duplicates(language):
    assert are_kept_apart(KEPT_APART[language])


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("घर की कमी", 3),
        ("மரம் உயரம்", 2),
        ("আমি কাল যাব", 3),
        ("මම ගම යමු", 3),
        ("הַסֵּפֶר טוֹב", 2),
        ("كَتَبَ الدَّرْسَ", 2),
        ("ที่นี่", 2),
        ("ស្ពាន", 3),
        ("མི་ཡིན", 2),
    ],
)
def test_words_do_not_shatter_at_their_marks(text, count):
    assert len(tokens(text)) == count


def test_corpus_keeps_all_of_them_and_is_proved(tmp_path):
    texts = [text for language in KEPT_APART.values() for text in language]
    rows = grow_answers(tmp_path, [{"content": text} for text in texts])
    assert {texts[index]: row.get("reason") for index, row in rows.items()} == dict.fromkeys(texts)
    assert seedcorn("verify", "--deep", tmp_path / "corpus") == 0


def test_copies_in_form_d_or_other_spaces_are_exact_in_every_script(tmp_path):
    texts = [script.text for script in SCRIPTS.values()]
    forms = [unicodedata.normalize("NFD", text) for text in texts]
    spaces = [f"\u3000{text.replace(' ', '  ')}\n" for text in texts]
    rows = grow_answers(tmp_path, [{"content": text} for text in (*texts, *forms, *spaces)])
    n = len(texts)
    said = [rows[index].get("reason") for index in range(3 * n)]
    assert said == [None] * n + ["exact:same"] * 2 * n
    assert seedcorn("verify", "--deep", tmp_path / "corpus") == 0
