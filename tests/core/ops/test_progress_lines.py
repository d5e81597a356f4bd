"""What a log tells of a run can be read back from it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.ops.progress_lines import Progress, message_of, read
from seedcorn.core.sample import OUTCOMES

NUMBERS = st.integers(0, 10**12)
COUNTS = st.fixed_dictionaries(dict.fromkeys(OUTCOMES, NUMBERS))
ACTIVITY = st.sampled_from(["512 tokens/s, ETA 12 min, workers 2", "starting engines", ""])


@given(NUMBERS, NUMBERS, NUMBERS, COUNTS, st.sampled_from(["12.4 M", "0", "unknown"]), ACTIVITY)
def test_progress_of_any_figures_is_read_back_from_its_line(
    generation, planned, generated, counts, unique, activity
):
    young = Progress(generation, planned, generated, activity)
    grown = Progress(generation, planned, generated, activity, counts, unique, "uvt")
    for told in (young, grown):
        assert read(told.line()) == told
        assert read(f"12:00:01 {told.line()}") == told


def test_progress_in_a_json_line_is_read_as_well():
    told = Progress(2, 600, 128, "88 tokens/s, ETA 5 s", dict.fromkeys(OUTCOMES, 3), "1.2 k", "uat")
    line = json.dumps({"at": "2026-11-26T21:00:07.123+00:00", "message": told.line(), "slot": 1})
    assert read(line) == told


def test_other_lines_tell_no_progress():
    for line in (
        "12:00:00 generation 1 batch 0 committed: accepted=27 duplicate=0 failed=0 rejected=5",
        "gen 1: 11.3 k tokens, accepted 79 %, U = 7.78 k uat (exact)",
        "generation 1: 3 of 4",
        "",
    ):
        assert read(line) is None


def test_message_of_a_json_line_is_what_a_person_would_have_been_told():
    line = json.dumps({"at": "2026-11-26T21:00:07.123+00:00", "message": "worker 0 ready"})
    assert message_of(line) == "21:00:07 worker 0 ready"
    for other in ("{not json", '{"at": 3}', "[1]", "plain"):
        assert message_of(other) == other
