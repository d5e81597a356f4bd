"""Each check's verdict on texts made to pass and to fail it, and the YAML that builds them."""

import asyncio
import time
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.checks import CHECKS, EMPTY, MEANINGS, NEWEST, Subject, build, verify
from seedcorn.core.engine import Completion
from seedcorn.core.errors import RecipeError
from seedcorn.core.text.words import TextRule

PARENT = " ".join(f"word{number}" for number in range(60))
PROSE = (
    "The ferry left the harbour before sunrise, carrying bread, letters and two sleepy goats. "
    "Nobody on deck spoke until the lighthouse went dark behind them."
)


def verdict(checks, answer, finish="stop", parents=(), rule=TextRule.TWO):
    completion = Completion(answer, 10, 20, finish)
    return asyncio.run(verify(build(checks, NEWEST), Subject(answer, completion, parents, rule)))


PASSING = [
    ({"finish_reason": {}}, PROSE),
    ({"length": {"min_words": 25, "max_words": 25, "max_chars": 200}}, PROSE),
    ({"length": {}}, "x"),
    ({"refusal": {}}, PROSE),
    ({"refusal": {}}, "She said she was sorry. " * 12 + "I'm sorry, but I can't go, he said."),
    ({"repetition": {}}, PROSE),
    ({"repetition": {"max_line_share": 0.5}}, "a\nb\na\nb"),
    ({"copy_of_parent": {}}, PROSE),
    ({"copy_of_parent": {"max_overlap": 1}}, PARENT),
    ({"script": {}}, PROSE + " “Naïve” façade — μ"),
    ({"script": {"allow": ["han", "kana"]}}, "今日は天気がいい"),
    ({"script": {"allow": "cyrillic"}}, "Паром ушёл до рассвета"),
    ({"regex": {"must": "ferry", "must_not": ["bus", "^$"]}}, PROSE),
    ({"arithmetic": {"min_equations": 2}}, "First 2 + 3 = 5, then 5 \u00d7 4 = 20."),
]
FAILING = [
    ({"length": {"min_words": 30}}, PROSE, "25 words, allowed: 30 to any"),
    ({"length": {"max_words": 5}}, PROSE, "25 words"),
    ({"length": {"min_chars": 500}}, PROSE, "characters, allowed: 500"),
    ({"refusal": {}}, "I\u2019m sorry, but I can't help with that.", "I'm sorry"),
    ({"refusal": {}}, "As an AI language model, I have no opinion.", "As an AI"),
    ({"refusal": {}}, "Unfortunately I cannot assist you there.", "I cannot assist you there"),
    ({"refusal": {"also": "(?i)no comment"}}, "No comment.", "No comment"),
    ({"repetition": {}}, "a b c d\n" * 5, "0.80 of lines repeat"),
    ({"repetition": {}}, "the cat sat down and " * 8, "of 4-word sequences repeat"),
    ({"copy_of_parent": {}}, PARENT, "1.00 of 8-word sequences are in parent 1"),
    ({"copy_of_parent": {}}, PARENT.upper() + " and more", "in parent 1"),
    ({"copy_of_parent": {}}, "word3 word4 word5", "1.00 of 3-word"),
    (
        {"copy_of_parent": {"max_overlap": 0.2}},
        "\u201cword9\u2014word8\u2019s",
        "1.00 of 2-word sequences are in parent 2",
    ),
    ({"repetition": {}}, "今日は天気がいい" * 4, "of 4-word sequences repeat"),
    ({"script": {}}, "Паром ушёл до рассвета", "0.00 of letters are latin"),
    ({"script": {}}, "1234 5678", "0.00"),
    ({"script": {"allow": "greek"}}, PROSE, "0.00 of letters are greek"),
    ({"regex": {"must": "bus"}}, PROSE, "nothing matches 'bus'"),
    ({"regex": {"must_not": "sun"}}, PROSE, "'sun' matches at character 34"),
    (
        {"arithmetic": {}},
        "First 2 + 3 = 5, then 5 \u00d7 4 = 21.",
        "'5 \u00d7 4 = 21': 20 is not 21",
    ),
    ({"arithmetic": {}}, PROSE, "0 different equations, needed: 1"),
]


@pytest.mark.parametrize(("check", "answer"), PASSING)
def test_check_on_good_text_passes_and_is_listed(check, answer):
    found = verdict([check], answer, parents=("Some other text.", PARENT))
    assert (found.passed, found.reason, found.detail) == (tuple(check), "", "")


@pytest.mark.parametrize(("check", "answer", "detail"), FAILING)
def test_check_on_bad_text_gives_its_code_and_why(check, answer, detail):
    found = verdict([check], answer, parents=("Some other text.", PARENT, "word9 word8's"))
    assert (found.passed, found.reason) == ((), next(iter(check)))
    assert detail in found.detail


def test_finish_reason_outside_the_allowed_ones_is_named():
    found = verdict([{"finish_reason": {"allow": ["stop"]}}], PROSE, finish="length")
    assert (found.reason, found.detail) == ("finish_reason", "length, allowed: stop")
    assert not verdict([{"finish_reason": {"allow": ["length"]}}], PROSE, finish="length").reason


def test_verify_stops_at_the_first_failure_and_keeps_what_passed():
    checks = [{"refusal": {}}, {"length": {"min_words": 99}}, {"regex": {"must": "bus"}}]
    found = verdict(checks, PROSE)
    assert (found.passed, found.reason) == (("refusal",), "length")


def test_verify_of_an_empty_answer_rejects_it_without_any_check():
    assert verdict([], " \n").reason == EMPTY


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({"lenght": {}}, r"checks\.0: unknown check 'lenght'; did you mean 'length'"),
        ({"length": {"minwords": 2}}, r"checks\.0\.length: unknown setting .*'min_words'"),
        ({"length": {"min_words": "many"}}, r"checks\.0\.length\.min_words: needs a whole"),
        ({"length": {"min_words": True}}, "whole number"),
        ({"length": {"min_words": -1}}, "at least 0"),
        ({"length": {"min_words": 9, "max_words": 3}}, r"length\.max_words: 3 is less"),
        ({"length": 5}, "needs settings"),
        ({"repetition": {"max_line_share": 2}}, "between 0 and 1"),
        ({"repetition": {"max_ngram_share": float("nan")}}, "between 0 and 1"),
        ({"repetition": {"ngram": 0}}, "at least 1"),
        ({"copy_of_parent": {"shingle": 0}}, "at least 1"),
        ({"script": {"allow": ["latn"]}}, r"script\.allow: 'latn' is not among .*latin"),
        ({"script": {"allow": []}}, "an empty list"),
        ({"finish_reason": {"allow": ["end"]}}, "'end' is not among stop"),
        ({"regex": {"must": "("}}, r"regex\.must: '\(' is not a regular expression"),
        ({"regex": {"must": 5}}, "text or a list"),
        ({"refusal": {}, "length": {}}, "exactly one check"),
        ({}, "exactly one check"),
    ],
)
def test_build_from_a_bad_item_names_item_and_setting(item, said):
    with pytest.raises(RecipeError, match=said):
        build([item], NEWEST)


def test_build_accepts_a_check_without_settings():
    assert [check.code for check in build([{name: None} for name in CHECKS], NEWEST)] == list(
        CHECKS
    )


def test_check_means_what_the_rules_of_its_generation_say():
    def said(rules):
        [check] = build([{"refusal": {"window": 99}}], rules)
        return type(check), check.window

    meanings = MEANINGS["refusal"]
    assert said({}) == (meanings[1], 99)
    assert said({"checks.refusal": 2}) == said(NEWEST) == (meanings[2], 99)
    assert said({"checks.refusal": 77}) == (CHECKS["refusal"], 99)


def test_settings_of_a_check_are_the_same_under_all_of_its_numbers():
    for meanings in MEANINGS.values():
        assert len({tuple(f.name for f in fields(kind)) for kind in meanings.values()}) == 1


def test_only_exact_checkers_claim_to_verify_content():
    assert {code for code, kind in CHECKS.items() if kind.verifies} == {"arithmetic"}


@given(answer=st.text(max_size=200), parent=st.text(max_size=100))
def test_every_text_gets_a_verdict_from_every_check(answer, parent):
    found = verdict([{name: {}} for name in CHECKS], answer, parents=(parent,))
    assert found.reason in {"", EMPTY, *CHECKS}


def test_all_checks_on_a_typical_text_stay_far_below_the_cost_of_a_token():
    answer = " ".join(f"{word}{number}" for number in range(15) for word in PROSE.split()[:10])
    checks = build([{name: {}} for name in CHECKS], NEWEST)
    completion = Completion(answer, 1, 1, "stop")

    async def best_of(rounds):
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            await verify(checks, Subject(answer, completion, (PARENT,), TextRule.TWO))
            times.append(time.perf_counter() - start)
        return min(times)

    assert asyncio.run(best_of(50)) < 500e-6
