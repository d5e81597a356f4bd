"""Lines beside the ledger's tables, from known documents."""

import pytest

from seedcorn.commands.views.ledger_notes import notes


def document(forecast=None, **generation):
    row = {"generation": 2, "precision": None}
    quiet = {"next": [], "scored": 0, "covered": 0, "widening": 1.0, "trend": None}
    return {
        "generations": [row | generation],
        "forecast": quiet | (forecast or {}),
        "strata": [],
    }


def test_quiet_ledger_has_nothing_to_say():
    assert notes(document()) == []


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
