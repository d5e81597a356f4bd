"""Lines beside the ledger's tables, from known documents."""

import pytest

from seedcorn.commands.views.ledger_notes import SHOWN, notes


def document(forecast=None, **generation):
    row = {"generation": 2, "decisions": [], "alarms": [], "precision": None}
    quiet = {"next": [], "scored": 0, "covered": 0, "widening": 1.0, "trend": None}
    return {
        "generations": [row | generation],
        "forecast": quiet | (forecast or {}),
        "strata": [],
    }


def alarm(batch):
    return {"batch": batch, "stratum": "retell", "name": "openings", "text": "61% open alike"}


def test_quiet_ledger_has_nothing_to_say():
    assert notes(document()) == []


def test_decision_says_batch_action_and_reason():
    decision = {"batch": 9, "action": "stop", "value": {}, "reason": "300 of 300 wanted"}

    assert notes(document(decisions=[decision])) == [
        "gen 2  decided for batch 9: stop, 300 of 300 wanted"
    ]


def test_alarms_are_listed_up_to_a_number_and_the_rest_is_counted():
    lines = notes(document(alarms=[alarm(n) for n in range(SHOWN + 3)]))

    assert lines[0] == "gen 2  alarm in batch 0, retell: 61% open alike"
    assert len(lines) == SHOWN + 1
    assert lines[-1] == "gen 2  3 more alarms, see --json"
    assert len(notes(document(alarms=[alarm(n) for n in range(SHOWN)]))) == SHOWN


@pytest.mark.parametrize(
    ("adjusted", "tail"),
    [(None, ""), ({"low": 80_000.0, "high": 95_000.0}, "; unique and right: 80.0 k to 95.0 k")],
)
def test_audit_says_what_it_read_and_what_it_bounds(adjusted, tail):
    precision = {"estimate": 0.9, "low": 0.82, "high": 0.9456, "drawn": 100, "right": 90}

    assert notes(document(precision=precision, adjusted_unique=adjusted)) == [
        "gen 2  audit: 90 of 100 unique shingles are in documents judged right, precision 0.820 "
        f"to 0.946{tail}"
    ]


def test_forecasts_say_amount_and_interval_and_how_earlier_ones_did():
    coming = {"samples": 4096, "estimate": 31_000.0, "low": 28_000.0, "high": 34_000.0}
    found = {
        "next": [{"stratum": "", **coming}, {"stratum": "retell", **coming, "samples": 100}],
        "scored": 24,
        "covered": 20,
        "widening": 1.7,
        "trend": {"estimate": 1e6, "low": 9e5, "high": 1.2e6},
    }

    assert notes(document(found)) == [
        "forecast  the next 4,096 samples add 31.0 k (28.0 k to 34.0 k)",
        "forecast  retell: the next 100 samples add 31.0 k (28.0 k to 34.0 k)",
        "forecast  20 of 24 earlier ones contained the actual value, intervals widened 1.7 times",
        "forecast  by trend the next generation adds 1.00 M (900 k to 1.20 M)",
    ]
    assert notes(document({"scored": 3, "covered": 3})) == [
        "forecast  3 of 3 earlier ones contained the actual value"
    ]
