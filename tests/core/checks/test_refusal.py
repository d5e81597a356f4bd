"""The check `refusal`: refusals that it must find, texts that use the same words and must pass."""

import re

import pytest

from seedcorn.core.checks.refusal import Refusal, RefusalAnywhere
from tests.bench.refusals import FOUND, REJECTED, rate, rejects
from tests.texts import ordinary, refusals


def test_refusals_and_ordinary_texts_are_told_apart_within_the_bounds():
    found = rate("refusals", refusals() + refusals(held_out=True), 2)
    wrong = rate("ordinary", ordinary() + ordinary(held_out=True), 2)
    assert found.texts >= 400
    assert found.share >= FOUND
    assert wrong.texts >= 500
    assert wrong.share <= REJECTED
    assert wrong.rejected == ()


def test_refusals_in_unusual_forms_are_mostly_found():
    assert rate("refusals", refusals(held_out=True), 2).share >= 0.85
    assert rate("ordinary", ordinary(held_out=True), 2).share <= REJECTED


def test_rule_1_stays_as_it_was():
    assert len(rate("refusals", refusals(), 1).rejected) == 217
    assert len(rate("ordinary", ordinary(), 1).rejected) == 118
    assert rejects(RefusalAnywhere(), "He sighed. I'm afraid so, he said.")


@pytest.mark.parametrize(
    "text",
    [
        "I\u2019m sorry, but I can\u2019t help with that.",
        "  \n**I cannot fulfill this request.**",
        "> I won't write this.",
        '"I cannot fulfill this request."',
        "\u201cI can\u2019t help with that request.\u201d",
        "'I cannot fulfill this request.'",
        "# Sorry\n\nI can't help with this request.",
        "Answer: I can't answer that question.",
        "I CANNOT FULFILL THIS REQUEST.",
    ],
)
def test_refusal_behind_marks_and_in_any_quotes_is_found(text):
    assert rejects(Refusal(), text)


@pytest.mark.parametrize(
    "text",
    [
        '"I can\'t help with that request," said the clerk, and he closed the window.',
        "\u201cI cannot fulfill this request,\u201d the genie sighed.",
        "'I can't help with that,' she said. 'Ask the others.'",
        "I can't help with that, the porter said, and he went on reading.",
        'The sign said "I cannot fulfill this request" in four languages.',
        "First. Second. Third. I cannot fulfill this request.",
        "x" * 200 + " I cannot fulfill this request.",
    ],
)
def test_refusal_that_is_told_or_does_not_open_the_answer_passes(text):
    assert not rejects(Refusal(), text)


def test_quotation_that_goes_on_beyond_the_window_is_direct_speech():
    text = '"I cannot fulfill this request. ' + "It is late, and the road is long. " * 9 + '"'
    assert not rejects(Refusal(), text)
    assert rejects(Refusal(window=2000), text)


def test_window_bounds_what_is_read_and_own_expressions_are_found_in_it():
    assert not rejects(Refusal(window=10), "I cannot fulfill this request.")
    own = Refusal(window=30, also=(re.compile("kein Kommentar"),))
    assert rejects(own, "Dazu: kein Kommentar.")
    assert not rejects(own, "Dazu sage ich Ihnen heute Abend: kein Kommentar.")


def test_refusal_in_another_language_passes_unseen():
    assert not rejects(Refusal(), "Es tut mir leid, aber dabei kann ich nicht helfen.")
