"""Reasoning and answer are split, and neither is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.generate.reasoning import split

CASES = [
    ("Plain text.\n", (None, "Plain text.\n")),
    ("<think>why</think>\n\nBecause.", ("why", "Because.")),
    ("\n<think>\nwhy\n</think>Because.", ("why", "Because.")),
    ("why, hm\n</think>\n\nBecause.", ("why, hm", "Because.")),
    ("<think>still going on", ("still going on", "")),
    ("<think>\n\n</think>\n\nBecause.", (None, "Because.")),
    ("<think>a</think>One.<think>b</think>Two.", ("a\n\nb", "One.\n\nTwo.")),
    ("<think>a</think>One.<think>b", ("a\n\nb", "One.")),
    ("a</think>b</think>Answer", ("a\n\nb", "Answer")),
    ("The tag <think> opens a trace.", (None, "The tag <think> opens a trace.")),
    ("", (None, "")),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_split_of_a_completion_gives_trace_and_answer(text, expected):
    assert split(text) == expected


@given(st.lists(st.sampled_from(["<think>", "</think>", "one", "two ", "\n"]), max_size=12))
def test_split_keeps_every_word_and_leaves_no_closing_tag(parts):
    text = "".join(parts)
    reasoning, answer = split(text)
    assert "</think>" not in answer
    kept = (reasoning or "") + answer
    for word in ("one", "two"):
        assert kept.count(word) == text.count(word)


def test_split_of_a_million_closing_tags_takes_linear_time():
    reasoning, answer = split("a</think>" * 1_000_000 + "end")
    assert (reasoning.count("a"), answer) == (1_000_000, "end")
