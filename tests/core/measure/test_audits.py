"""Audits: what a draw weighs, what may be left out, and files that must not be believed."""

import json

import numpy as np
import pytest

from seedcorn.core.intervals import clopper_pearson
from seedcorn.core.measure.audits import (
    AuditDraw,
    AuditError,
    Question,
    check_answers,
    clustered_interval,
    first_holders,
    line,
    parse,
    precision,
)
from seedcorn.core.text.shingles import Shingles

DRAW = AuditDraw(generation=2, stratum="", fingerprints=6, entries=9, chain="ab" * 32)
QUESTIONS = [
    Question("a", "tell", "text of a", (0, 3, 4)),
    Question("b", "tell", "text of b", (1,)),
    Question("c", "ask", "text of c\u2028with a line separator", (2, 5)),
]


def file_of(verdicts, questions=QUESTIONS):
    lines = [line(DRAW, question, verdicts.get(question.id)) for question in questions]
    return "".join(f"{one}\n" for one in lines).encode()


def edited(number, **changes):
    lines = [json.loads(raw) for raw in file_of({"a": True, "b": True, "c": False}).splitlines()]
    lines[number] |= changes
    return "\n".join(json.dumps(value) for value in lines).encode()


def test_precision_counts_fingerprints_not_documents():
    found = precision(QUESTIONS, {"a": True, "b": False, "c": True})
    assert (found.drawn, found.right, found.documents) == (6, 5, 3)
    assert found.interval.estimate == 5 / 6


def test_precision_one_fingerprint_a_document_is_clopper_pearson():
    questions = [Question(str(n), "", "", (n,)) for n in range(400)]
    found = precision(questions, {str(n): n >= 9 for n in range(400)})
    assert found.interval == clopper_pearson(391, 400)


def test_precision_takes_samples_of_one_prompt_for_one_draw():
    """A hundred groups of four samples: all of a group are right, or none is."""
    questions = [Question(str(n), "", "", (n,), n // 4) for n in range(400)]
    found = precision(questions, {str(n): n // 4 >= 5 for n in range(400)})
    assert (found.drawn, found.right, found.documents) == (400, 380, 400)
    assert found.interval[1:] == clopper_pearson(95, 100)[1:]


def test_clustered_interval_all_fingerprints_in_one_document_says_no_more_than_one_document():
    assert clustered_interval(300, [300])[1:] == clopper_pearson(1, 1)[1:]
    assert clustered_interval(0, [300])[1:] == clopper_pearson(0, 1)[1:]


@pytest.mark.statistics
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_clustered_interval_covers_the_truth_where_plain_counting_does_not(share):
    rng = np.random.default_rng(3)
    covered = plain = 0
    for _ in range(150):
        weights = rng.geometric(0.15, 60)
        right = int(weights[rng.random(60) < share].sum())
        drawn = int(weights.sum())
        low, high = clustered_interval(right, weights.tolist())[1:]
        covered += low <= share <= high
        low, high = clopper_pearson(right, drawn)[1:]
        plain += low <= share <= high
    assert covered >= 0.94 * 150
    assert plain < 0.7 * 150


def test_precision_unanswered_is_refused_with_the_first_one_named():
    with pytest.raises(AuditError, match=r"1 of 3 samples have no verdict, sample b first"):
        precision(QUESTIONS, {"a": True, "c": True})


def test_precision_partial_takes_the_leading_run_of_fingerprints_only():
    found = precision(QUESTIONS, {"a": True, "b": False}, partial=True)
    assert (found.drawn, found.right, found.documents) == (2, 1, 2)
    behind_a_gap = precision(QUESTIONS, {"a": False, "c": True}, partial=True)
    assert (behind_a_gap.drawn, behind_a_gap.right, behind_a_gap.documents) == (1, 0, 1)


def test_precision_partial_without_the_first_fingerprint_is_refused():
    with pytest.raises(AuditError, match="at least the first fingerprint"):
        precision(QUESTIONS, {"b": True, "c": True}, partial=True)


def test_parse_returns_what_was_written():
    draw, answers = parse(file_of({"a": True, "c": False}), "audit.jsonl")
    assert draw == DRAW
    assert [(a.line, a.id, a.verdict, a.auditor) for a in answers] == [
        (1, "a", True, "person"),
        (2, "b", None, "person"),
        (3, "c", False, "person"),
    ]
    check_answers(QUESTIONS, answers, "audit.jsonl")


@pytest.mark.parametrize("verdict", ["yes", 1, 0, "true", [], 0.5])
def test_parse_a_verdict_that_is_none_names_the_line(verdict):
    with pytest.raises(AuditError, match=r"audit\.jsonl, line 2: .*verdict is .*true, false"):
        parse(edited(1, verdict=verdict), "audit.jsonl")


@pytest.mark.parametrize("data", [b"{}", b"nonsense", b'["verdict"]', b"7", b'{"draw": {"n": 1}}'])
def test_parse_a_line_that_is_no_audit_names_it(data):
    with pytest.raises(AuditError, match="line 4: not a line of an audit"):
        parse(file_of({}) + data, "audit.jsonl")


def test_parse_lines_of_two_draws_are_refused():
    other = {**json.loads(line(DRAW, QUESTIONS[0]))["draw"], "entries": 10}
    with pytest.raises(AuditError, match="line 1 and line 3 come from different draws"):
        parse(edited(2, draw=other), "audit.jsonl")


def test_parse_an_empty_file_is_refused():
    with pytest.raises(AuditError, match="holds no line"):
        parse(b"\n\n", "audit.jsonl")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (edited(1, id="z"), "line 2: sample z was not drawn"),
        (edited(1, text="better words"), "line 2: sample b has a text that differs"),
        (edited(1, id="a", text="text of a"), "line 2: sample a repeats line 1"),
        (file_of({}, QUESTIONS[:2]), "1 of 3 samples have no line, such as c"),
    ],
)
def test_check_answers_that_do_not_answer_the_draw_are_refused(data, message):
    _, answers = parse(data, "audit.jsonl")
    with pytest.raises(AuditError, match=message):
        check_answers(QUESTIONS, answers, "audit.jsonl")


def test_first_holders_names_the_first_document_in_order():
    held = Shingles(np.array([3, 9, 1, 9, 3, 7], np.uint64), np.array([0, 2, 4, 4, 6]))
    wanted = np.array([1, 3, 7, 8, 9, 2**64 - 1], np.uint64)
    assert first_holders(wanted, held).tolist() == [1, 0, 3, -1, 0, -1]
