"""Reasoning and answer are split, and neither is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.engine import Completion, EngineInfo, Markers
from seedcorn.core.generate.reasoning import Splitter, marked, split_anywhere, splitter
from seedcorn.core.recipe.reasoning import FAMILIES, ReasoningSpec

ANYWHERE = [
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
OPENING = [
    ("Plain text.\n", (None, "Plain text.\n")),
    ("<think>why</think>\n\nBecause.", ("why", "Because.")),
    ("\n<think>\nwhy\n</think>Because.", ("why", "Because.")),
    ("<think>still going on", ("still going on", "")),
    ("<think>\n\n</think>\n\nBecause.", (None, "Because.")),
    ("<think>a</think>Ends with </think>.", ("a", "Ends with </think>.")),
    ("It ends with </think>, I say. ", (None, "It ends with </think>, I say. ")),
    ("The tag <think> opens, </think> ends.", (None, "The tag <think> opens, </think> ends.")),
    ("", (None, "")),
]
HARMONY = FAMILIES["harmony"]
CHANNELS = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>42"


def done(text, **changes):
    return Completion(text, 1, 1, "stop", **changes)


@pytest.mark.parametrize(("text", "expected"), ANYWHERE)
def test_rule_1_takes_every_tag_for_a_marker(text, expected):
    assert split_anywhere(text) == Splitter(1, FAMILIES["mistral"]).split(done(text)) == expected


@given(st.lists(st.sampled_from(["<think>", "</think>", "one", "two ", "\n"]), max_size=12))
def test_rule_1_keeps_every_word_and_leaves_no_closing_tag(parts):
    text = "".join(parts)
    reasoning, answer = split_anywhere(text)
    assert "</think>" not in answer
    kept = (reasoning or "") + answer
    for word in ("one", "two"):
        assert kept.count(word) == text.count(word)


def test_rule_1_on_a_million_closing_tags_takes_linear_time():
    reasoning, answer = split_anywhere("a</think>" * 1_000_000 + "end")
    assert (reasoning.count("a"), answer) == (1_000_000, "end")


@pytest.mark.parametrize("rule", [1, 2])
def test_what_the_engine_told_apart_stays_apart(rule):
    assert Splitter(rule).split(done("42\n", trace="six times seven")) == ("six times seven", "42")
    assert Splitter(rule).split(done("", trace="no end")) == ("no end", "")


def test_rule_2_leaves_closing_tags_of_an_answer_that_was_told_apart():
    found = Splitter(2).split(done("End it with </think>.", trace="hm"))
    assert found == ("hm", "End it with </think>.")


@pytest.mark.parametrize(("text", "expected"), OPENING)
def test_rule_2_splits_the_trace_that_opens_the_answer_of_a_model_that_thinks(text, expected):
    assert Splitter(2, FAMILIES["think"]).split(done(text)) == expected


@pytest.mark.parametrize("text", [text for text, _ in OPENING])
def test_rule_2_leaves_the_text_of_a_model_that_does_not_think_as_it_is(text):
    assert Splitter(2).split(done(text)) == (None, text)
    assert Splitter(2, FAMILIES["mistral"]).split(done(text)) == (None, text)


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_rule_2_splits_the_trace_of_every_family(family):
    markers = FAMILIES[family]
    whole = f"{markers.open}why{markers.close}\n{markers.answer}Because.{markers.end}"
    assert Splitter(2, markers).split(done(whole)) == ("why", "Because.")
    bare = f"{markers.answer}Because.{markers.end}"
    assert Splitter(2, markers).split(done(bare)) == (None, "Because.")


def test_rule_2_takes_the_channels_of_harmony_apart():
    assert Splitter(2, HARMONY).split(done(CHANNELS)) == ("hm", "42")
    between = CHANNELS.replace("hm", "hm<|end|><|start|>assistant<|channel|>commentary<|message|>x")
    assert Splitter(2, HARMONY).split(done(between))[1] == "42"


@pytest.mark.parametrize("end", ["<|im_start|>assistant\n<think>", "assistant<think>\n"])
def test_rule_2_knows_an_opening_marker_that_the_template_wrote(end):
    thinks = Splitter(2, FAMILIES["think"])
    assert thinks.split(done("why</think>Because.", prompt_end=end)) == ("why", "Because.")
    assert thinks.split(done("no end", prompt_end=end)) == ("no end", "")
    again = done("<think>\nwhy</think>Because.", prompt_end=end)
    assert thinks.split(again) == ("why", "Because.")


def test_rule_2_knows_a_trace_that_the_template_closed():
    whole = done("Write </think> last.", prompt_end="assistant\n<think>\n\n</think>\n\n")
    assert Splitter(2, FAMILIES["think"]).split(whole) == (None, "Write </think> last.")


def test_rule_2_believes_a_recipe_that_says_the_template_opens_the_trace():
    assert Splitter(2, FAMILIES["think"], True).split(done("a</think>B")) == ("a", "B")


@pytest.mark.parametrize(
    ("spec", "told", "markers"),
    [
        (ReasoningSpec(), None, None),
        (ReasoningSpec(), HARMONY, HARMONY),
        (ReasoningSpec("none"), HARMONY, None),
        (ReasoningSpec("think"), None, FAMILIES["think"]),
        (ReasoningSpec("think"), HARMONY, FAMILIES["think"]),
        (ReasoningSpec(open="<a>", close="<b>"), HARMONY, Markers("<a>", "<b>")),
    ],
)
def test_recipe_says_the_markers_else_the_engine(spec, told, markers):
    info = EngineInfo("e", "m", markers=told)
    assert splitter(spec, info, {"reasoning": 2}) == Splitter(2, markers)
    assert splitter(spec, info, {}).rule == 1


def test_markers_left_in_texts_are_counted_once_a_text_by_family():
    texts = [
        "<think>a</think>b <think>c</think>",
        "ends with </think>",
        "[THINK]a[/THINK]<thinking>",
        "\u25c1think\u25b7",
        "I think so, and THINK again.",
        "",
    ]
    assert marked(texts, ReasoningSpec()) == {"kimi_vl": 1, "mistral": 1, "think": 2, "thinking": 1}
    assert marked(["<plan>a"], ReasoningSpec()) == {}
    assert marked(["<plan>a"], ReasoningSpec(open="<plan>", close="</plan>")) == {"own": 1}


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_markers_of_every_family_are_counted(family):
    markers = FAMILIES[family]
    assert sum(marked([f"{markers.open} b"], ReasoningSpec()).values()) == 1
    assert sum(marked([f"b {markers.close}"], ReasoningSpec()).values()) >= 1
