"""Refusals are rejected, and stories that use their words are not.

Each neighbour is a pair: what turns a request down, and what only sounds like it.
"""

import pytest

from seedcorn.core.checks import NEWEST, build
from tests.bench.refusals import FOUND, REJECTED, rate, rejects
from tests.texts import ordinary, refusals

[REFUSAL] = build([{"refusal": {}}], NEWEST)

REFUSED = [
    "I cannot fulfill your request. I would rather talk about the garden.",
    "I won't be able to help with that one, but ask me about some other subject.",
    "I'm really sorry, but I can't help.",
    "I cannot in good conscience write this.",
    "Please provide the text you would like me to rewrite.",
    "I cannot rewrite this text, because it may be protected by the rights of somebody else.",
]
PASSED = [
    '"I\'m sorry I am late," said Jens as he shook the rain from his hat.',
    "I am afraid the winter will be long, wrote the shepherd to his sister.",
    "I cannot answer every letter, the queen said.",
    "As an AI company, we sell robots to farms.",
]
NEIGHBOURS = [
    ("I can\u2019t help with that.", "I can\u2019t help laughing when the goose walks in."),
    ("**I'm unable to write this.**", "**I'm unable to swim**, and yet I keep a boat."),
    (
        "As an AI language model, I cannot write this.",
        "As an air traffic controller, I cannot look away from the screen.",
    ),
    ("I must decline this request.", "I must decline the noun before I may have lunch."),
    (
        "Please paste the passage you want me to summarise.",
        "Please paste the labels on the jars before the jam cools.",
    ),
    ("It goes against my guidelines.", "It goes against the grain: plane along the fibres."),
    ('"I can\'t write this story."', '"I can\'t write this story," she said, and wrote it.'),
]


@pytest.mark.parametrize("text", REFUSED)
def test_refusal_is_rejected(text):
    assert rejects(REFUSAL, text)


@pytest.mark.parametrize("text", PASSED)
def test_story_with_the_words_of_a_refusal_passes(text):
    assert not rejects(REFUSAL, text)


@pytest.mark.parametrize(("refusal", "story"), NEIGHBOURS)
def test_neighbours_are_told_apart(refusal, story):
    assert rejects(REFUSAL, refusal)
    assert not rejects(REFUSAL, story)


def test_rates_on_the_lists_of_the_project_are_within_the_bounds():
    rule = NEWEST["checks.refusal"]
    assert rate("refusals", refusals() + refusals(held_out=True), rule).share >= FOUND
    assert rate("ordinary", ordinary() + ordinary(held_out=True), rule).share <= REJECTED
