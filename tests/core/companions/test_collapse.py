"""Alarms on form: a template raises one in any language, new text of the source none."""

import random
import re

import pytest

from seedcorn.core.companions.collapse import FEWEST, LIMITS, form_alarms
from seedcorn.core.text.words import NEWEST
from tests.bench.ledger_fakes import template
from tests.bench.real_text import documents, parts

LATIN = "abcdefghijklmnopqrstuvwxyz"


def cyrillic(text):
    letters = "абвгдежзийклмнопрстуфхцчшщ"
    return text.translate(str.maketrans(LATIN + LATIN.upper(), letters + letters.upper()))


def unspaced(text):
    """A sign for every word, and nothing between them."""
    return "".join(
        chr(0x4E00 + int.from_bytes(word.encode(), "little") % 6000)
        for word in re.findall(r"\w+", text.lower())
    )


def same(text):
    return text


def raised(texts, seed, earlier=None):
    return {alarm["name"] for alarm in form_alarms(texts, seed, earlier or {}, NEWEST)}


@pytest.mark.parametrize("script", [same, cyrillic, unspaced])
@pytest.mark.parametrize("source", ["topics", "docstrings"])
def test_template_raises_an_alarm_and_new_text_none_in_any_script(source, script):
    seed, new = parts(source, 70, 70)

    assert "diversity" in raised([script(text) for text in template(seed)], list(map(script, seed)))
    assert raised(list(map(script, new)), list(map(script, seed))) == set()


@pytest.mark.statistics
@pytest.mark.parametrize("source", ["topics", "docstrings", "code"])
def test_new_text_of_the_source_raises_alarms_in_at_most_one_of_twenty_resamples(source):
    texts = list(documents(source))
    found = 0
    for number in range(20):
        random.Random(number).shuffle(texts)
        half = len(texts) // 2
        found += bool(raised(texts[:half], texts[half:]))

    assert found <= 1


def test_template_of_a_templated_seed_is_usual_and_prose_after_it_no_alarm():
    seed = template(parts("topics", 128)[0])

    assert raised(seed[64:], seed[:64]) == set()
    assert raised(parts("docstrings", 64)[0], seed) == set()


def test_template_after_prose_is_an_alarm_though_the_seed_is_one():
    seed, prose = template(parts("topics", 128)[0]), parts("docstrings", 64)[0]

    found = form_alarms(seed[64:], seed[:64], {1: prose, 2: prose[:40]}, NEWEST)

    assert {alarm["name"] for alarm in found} >= {"diversity"}
    assert all("in the generations before" in alarm["text"] for alarm in found)


def test_same_opening_raises_its_alarm_and_says_how_much_is_usual():
    seed, new = parts("docstrings", 70, 70)
    opened = ["Certainly, here is the text that you have asked for: " + text for text in new]

    [alarm] = [a for a in form_alarms(opened, seed, {}, NEWEST) if a["name"] == "openings"]

    assert (alarm["value"], alarm["usual"]) == (1, 0)
    assert alarm["text"].startswith("100% of the texts open with words")
    assert list(LIMITS).index("openings") == 1


def test_longer_texts_than_the_seed_has_do_not_count_as_more_alike():
    seed, new = parts("docstrings", 100, 200)
    long = ["\n".join(new[i : i + 4]) for i in range(0, 200, 4)]

    assert raised(long, [text[:80] for text in seed]) == set()


def test_too_few_texts_to_judge_raise_nothing():
    texts = parts("topics", 64)[0]

    assert raised([texts[0]] * (FEWEST - 1), texts) == set()
    assert raised([texts[0]] * FEWEST, texts[: FEWEST - 1]) == set()
    assert raised([texts[0]] * FEWEST, texts) != set()
