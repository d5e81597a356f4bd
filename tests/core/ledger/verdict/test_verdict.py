"""The verdict: a table of findings and what is said of them, and what must never move it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.intervals import Interval
from seedcorn.core.ledger.verdict.verdict import GO, LOOK, STOP, Findings, Limits, verdict


def near(value, half=0.0):
    return Interval(value, value - half, value + half)


NEW = Findings(
    generation=3,
    finished=True,
    committed=1000,
    accepted=700,
    unique_share=near(0.94),
    outside_share=near(0.8, 0.03),
    novel_share=near(0.9, 0.02),
    order_gap=near(1.2, 0.1),
    worth=near(96, 15),
)
"""New text of the seed's source."""
LOOP = replace(
    NEW,
    unique_share=near(0.61),
    outside_share=near(0.18),
    novel_share=near(0.4),
    worth=near(3, 4),
)


@pytest.mark.parametrize(
    ("found", "limits", "colour", "says"),
    [
        (NEW, Limits(), GO, "taught as much as 96 [81, 111] words of fresh text"),
        (replace(NEW, accepted=0), Limits(), STOP, "none of the 1,000 samples of generation 3"),
        (replace(NEW, unique_share=near(0.021)), Limits(), STOP, "2.1 % of the accepted tokens"),
        (replace(NEW, unique_share=near(0.04, 0.02)), Limits(), GO, "96"),
        (replace(NEW, order_gap=near(0.02, 0.05)), Limits(), STOP, "as in shuffled text"),
        (replace(NEW, order_gap=near(0.08, 0.05)), Limits(), GO, "96"),
        (replace(NEW, alarms=["openings: one template took over"]), Limits(), STOP, "took over"),
        (replace(NEW, alarms=["a jump", "another"]), Limits(), STOP, "(and 1 further alarm)"),
        (replace(NEW, alarms=["a jump"]), Limits(alarms=False), GO, "96"),
        (LOOP, Limits(), STOP, "82 % of its tokens stand in word sequences that were known"),
        (
            replace(NEW, worth=near(0, 0.1), outside_short_share=near(0.01)),
            Limits(),
            STOP,
            "99 % of its tokens stand in sequences of three words that were known",
        ),
        (replace(NEW, worth=near(96, 15), outside_short_share=near(0.01)), Limits(), GO, "96"),
        (replace(LOOP, worth=near(3, 8)), Limits(), LOOK, "does not tell it from 10"),
        (replace(LOOP, worth=near(-1, 6)), Limits(), STOP, "as much as -1 [-7, 5] words"),
        (replace(NEW, worth=near(2, 3), worth_before=near(1, 3)), Limits(), STOP, "one before it"),
        (replace(NEW, worth=near(2, 3), worth_before=near(4, 3)), Limits(), LOOK, "domain"),
        (replace(NEW, worth=near(96, 50)), Limits(worth=50), LOOK, "does not tell it from 50"),
        (
            replace(NEW, worth=near(8, 5), novel_share=near(0.5)),
            Limits(),
            LOOK,
            "it restates, with little that the history does not say",
        ),
        (replace(NEW, worth=near(5, 3)), Limits(), LOOK, "a domain that your anchor does not hold"),
        (
            replace(NEW, worth=None),
            Limits(),
            LOOK,
            "is unknown: it was not measured on held-out text; give",
        ),
        (
            replace(NEW, worth=None, withheld={"worth": "the anchor has 80 documents"}),
            Limits(),
            LOOK,
            "what generation 3 taught is unknown: the anchor has 80 documents",
        ),
        (replace(NEW, finished=False, worth=None), Limits(), LOOK, "is not finished"),
        (replace(NEW, precision=near(0.9, 0.03)), Limits(precision=0.8), GO, "96"),
        (replace(NEW, precision=near(0.9, 0.03)), Limits(precision=0.9), LOOK, "0.870 up, 0.9 is"),
        (replace(NEW, precision=near(0.2)), Limits(), GO, "96"),
    ],
)
def test_verdict_of_known_findings_is_the_first_rule_that_holds(found, limits, colour, says):
    said = verdict(found, limits)
    assert said.colour == colour
    assert says in said.sentence
    assert said.sentence.endswith(".")


def test_verdict_begins_with_its_colour_in_words_and_ends_with_what_to_do():
    assert verdict(LOOP, Limits()).sentence == (
        "Stop: 100 words of generation 3 taught as much as 3 [-1, 7] words of fresh text, and 82 % "
        "of its tokens stand in word sequences that were known; bring fresh seed or a verifier."
    )
    assert verdict(NEW, Limits()).sentence.startswith("Worth going on: 100 words of generation 3")


intervals = st.builds(
    lambda value, half: near(value, half), st.floats(-200, 200), st.floats(0, 100)
)


@given(worth=st.none() | intervals, before=st.none() | intervals, alarms=st.booleans())
def test_verdict_goes_on_only_where_worth_is_known_and_above_what_is_wanted(worth, before, alarms):
    found = replace(NEW, worth=worth, worth_before=before, alarms=["a jump"] if alarms else [])
    said = verdict(found, Limits())
    assert (said.colour == GO) == (worth is not None and worth.low > 10 and not alarms)


def test_verdict_of_unknown_figures_is_never_stop():
    bare = Findings(generation=1, finished=True, committed=10, accepted=5)
    assert verdict(bare, Limits()).colour == LOOK
