"""A generation in plain words: every known figure has its sentence, and no other."""

import re

from seedcorn.commands.report.plainly import abandoned_plainly, generation_plainly
from tests.commands.report.report_document import document


def told(number, **changes):
    """The sentences about a generation of the document, changed."""
    written = document()
    row, times = written["generations"][number - 1], written["measured"][number - 1]
    return generation_plainly(row | changes, times)


def test_generation_with_every_figure_is_told_without_a_symbol():
    text = told(1)
    for part in (
        "Generation 1: wrote 737 k tokens in 4,096 samples, of which 61 % were accepted.",
        "It added 231 k unique tokens (exact).",
        "An audit found 98 % of what is new right (96 % to 99 %).",
        "7.5 % of its word sequences stood in earlier documents.",
        "Earlier text explains 34 % of a document on average.",
        "An engine-hour bought 92.3 k unique tokens.",
        "3 samples withdrawn since; 228 k unique tokens are left.",
    ):
        assert part in text
    assert not re.search(r"[\u0370-\u03ff]|\buat\b|mb/B|U =", text)


def test_unknown_figures_have_no_sentence():
    text = told(
        4, companions=None, containment={}, unique={}, unique_tokens=None, unknown="no sketch"
    )
    assert "How much of it is new is unknown: no sketch." in text
    assert "running: 1,536 of 4,096 samples" in text
    for part in ("Earlier text", "stood in earlier", "engine-hour", "audit"):
        assert part not in text


def test_text_without_order_and_what_text_is_worth_are_told():
    found = document()["generations"][1]["companions"]
    found |= {"order_gap": {"estimate": 0.0, "low": -0.01, "high": 0.01}}
    assert "as in shuffled text" in told(2, companions=found)
    found |= {"worth": {"estimate": 2.1, "low": -3.0, "high": 7.4}}
    taught = "A hundred words of it taught as much as 2 (-3 to 7) words of fresh real text"
    assert taught in told(2, companions=found)


def test_generation_that_was_given_up_counts_for_nothing():
    one = {"generation": 3, "committed": 10, "planned": 20, "reason": "typo"}
    text = abandoned_plainly(one)
    assert text == "Generation 3: abandoned after 10 of 20 samples, none of which counts: typo."
