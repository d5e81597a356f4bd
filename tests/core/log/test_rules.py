"""A corpus keeps its rules, and what this code cannot follow is refused or trusted by name."""

import pytest

from seedcorn.core.errors import FormatError
from seedcorn.core.log.entries import Entry, GenerationFinished, GenerationStarted
from seedcorn.core.log.rules import (
    FIXED,
    KNOWN,
    checks_on_trust,
    number_of,
    reads_texts,
    require_rules,
    rules_for_next,
    unknown_rules,
)
from seedcorn.core.log.state import CorpusState


def grown_under(*rules, finished=True):
    """A corpus with one generation under each of these rules."""
    state = CorpusState()
    for number, stored in enumerate(rules, 1):
        bodies = [GenerationStarted(number, {}, "f", "s", {}, dict(stored))]
        if finished or number < len(rules):
            bodies.append(GenerationFinished(number, "exhausted"))
        for body in bodies:
            state.apply(Entry(state.sequence, "w", "0", 0.0, body))
    return state


def test_rules_of_a_new_corpus_are_the_newest_and_those_that_are_1_are_not_stored():
    assert rules_for_next(CorpusState()) == {
        rule: numbers[-1] for rule, numbers in KNOWN.items() if numbers[-1] != 1
    }


@pytest.mark.parametrize("rule", FIXED)
def test_rule_that_the_first_generation_set_holds_for_the_next_ones(rule):
    state = grown_under({rule: 7}, {rule: 7})
    assert number_of(rules_for_next(state), rule) == 7


def test_rule_of_a_check_is_the_newest_whatever_earlier_generations_had():
    state = grown_under({"checks.length": 7})
    assert number_of(rules_for_next(state), "checks.length") == KNOWN["checks.length"][-1]


def test_rules_that_this_code_knows_are_required_without_a_word():
    require_rules(CorpusState())
    require_rules(grown_under({}, {"text": 1}, finished=False))


@pytest.mark.parametrize(
    ("rules", "finished"),
    [
        ([{"text": 99}], True),
        ([{"row_names": 99}, {"row_names": 99}], True),
        ([{}, {"checks.length": 99}], False),
        ([{}, {"graders": 2}], False),
    ],
)
def test_corpus_that_cannot_be_grown_under_its_rules_is_refused_by_name(rules, finished):
    name, number = next(iter(rules[-1].items()))
    with pytest.raises(FormatError, match=f"does not have: {name} {number}; use the seedcorn"):
        require_rules(grown_under(*rules, finished=finished))


def test_finished_generation_under_an_unknown_check_may_be_grown_on():
    require_rules(grown_under({"checks.length": 99}))


def test_unknown_rules_tell_what_is_to_be_taken_on_trust():
    rules = {"checks.length": 99, "checks.burnt": 2, "text": 1}
    assert unknown_rules(rules) == ["checks.burnt 2", "checks.length 99"]
    assert checks_on_trust(rules) == {"length", "burnt"}
    assert reads_texts(rules)
    assert not reads_texts({"text": 99})
    assert not reads_texts({"ledger_unit": 99})
