"""The ledger as one JSON document: every key of the format, known values, nulls where unknown."""

import json

import pytest

from seedcorn.core.ledger.document import EPOCHS, FORMAT
from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.ledger.verifiers import information_budget, worth_of_repeats
from seedcorn.core.log.entries import Measurement
from seedcorn.core.log.state import AUDIT, COMPANIONS
from seedcorn.core.recipe import TargetSpec
from tests.core.forecast.shingled import Document
from tests.core.ledger.folded import SIZE, Folded, fresh, recipe

ALIKE = {"openings": 1.0, "opened": 64.0, "verified": 64.0, "absorbed": 0.0}
AUDITED = {"estimate": 0.9, "low": 0.8, "high": 0.95, "drawn": 100, "right": 90}


@pytest.fixture
def folded():
    """Five batches of 24 new shingles, the last with an alarm; some samples are dropped."""
    folded = Folded(recipe(samples=6 * SIZE, ahead=0)).start()
    for number in range(4):
        folded.batch(fresh(number), seconds=900.0).settle()
    dropped = [Document(frozenset(), 0, "rejected"), Document(frozenset({0, 1, 2}), 1, "duplicate")]
    return folded.batch([*fresh(4)[:6], *dropped], form={"a": ALIKE}, seconds=900.0)


def document(folded):
    """As printed: plain JSON, keys sorted."""
    found = to_json(folded.ledger)
    assert json.dumps(found) == json.dumps(found, sort_keys=True)
    return json.loads(json.dumps(found))


def test_document_has_every_key_of_the_format(folded):
    folded.settle()
    found = document(folded)

    assert found.keys() == {
        *("format", "sketch_rate", "generations", "strata", "forecast", "repeats", "measured")
    }
    assert found["format"] == FORMAT
    words = """generation recipe status reason detail planned committed counts reasons duplicates
        tokens unit unique unknown yield_per_token withdrawn net_unique containment marked curve forecasts
        companions precision adjusted_unique information_budget coverage alarms decisions"""
    assert found["generations"][0].keys() >= set(words.split())
    words = """generation stratum counts tokens unit unique exclusive net_unique yield_per_token
        next form"""
    assert [row.keys() >= set(words.split()) for row in found["strata"]] == [True, True]
    words = "scored covered next trend trend_unknown"
    assert found["forecast"].keys() >= set(words.split())


def test_curve_counts_up_batch_by_batch(folded):
    folded.settle()
    curve = document(folded)["generations"][0]["curve"]

    assert [tick["batch"] for tick in curve] == [0, 1, 2, 3, 4]
    assert [tick["samples"] for tick in curve] == [8, 16, 24, 32, 40]
    assert [tick["generated"] for tick in curve] == [80, 160, 240, 320, 400]
    assert [tick["accepted"] for tick in curve] == [80, 160, 240, 320, 380]
    # The pool of 100 shingles is used up with the last batch.
    assert [tick["unique"]["estimate"] for tick in curve] == [24, 48, 72, 96, 100]
    assert curve[-1]["counts"] == {"accepted": 38, "duplicate": 1, "failed": 0, "rejected": 1}


def test_point_of_the_curve_without_a_forecast_entry_is_null(folded):
    assert [tick["unique"] is None for tick in document(folded)["generations"][0]["curve"]] == [
        *([False] * 4),
        True,
    ]


def test_forecasts_stand_beside_their_truth(folded):
    folded.settle()
    whole = [f for f in document(folded)["generations"][0]["forecasts"] if f["stratum"] == ""]

    assert [(f["batch"], f["truth"], f["covered"]) for f in whole][:3] == [
        (1, 24, True),
        (2, 24, True),
        (3, 24, True),
    ]
    assert (whole[-1]["batch"], whole[-1]["truth"], whole[-1]["covered"]) == (5, None, None)
    assert whole[0]["estimate"] == 24
    assert whole[0]["samples"] == SIZE
    found = document(folded)["forecast"]
    assert found["scored"] == 12
    assert found["widening"] == 1.0
    assert {row["stratum"] for row in found["next"]} == {"", "a", "b"}
    assert found["trend"] is None
    assert found["trend_unknown"] == "insufficient history: 0 of 4 generations"


def test_alarms_and_decisions_are_told_with_their_reasons(folded):
    folded.settle()
    [row] = document(folded)["generations"]

    assert [(a["batch"], a["stratum"], a["name"]) for a in row["alarms"]] == [(4, "a", "openings")]
    assert row["alarms"][0].keys() == {"batch", "stratum", "name", "value", "usual", "text"}
    [decision] = row["decisions"]
    assert decision.keys() == {"batch", "action", "value", "reason"}
    assert (decision["batch"], decision["action"]) == (5, "drop_stratum")
    strata = {row["stratum"]: row for row in document(folded)["strata"]}
    assert strata["a"]["form"] == ALIKE
    assert strata["b"]["form"] is None


def test_stratum_that_is_no_longer_drawn_has_no_next():
    folded = Folded(recipe(ahead=0)).start()
    folded.batch(fresh(0), form={"a": ALIKE}).settle()
    folded.batch(fresh(1, strata=(1,))).settle()
    found = document(folded)

    assert {row["stratum"]: row["next"] is None for row in found["strata"]} == {
        "a": True,
        "b": False,
    }
    assert [row["stratum"] for row in found["forecast"]["next"]] == ["", "b"]
    assert found["forecast"]["next"][0]["estimate"] == found["forecast"]["next"][1]["estimate"]


def test_measured_times_stand_under_measured_alone(folded):
    folded.settle()
    slow = Folded(folded.recipe)
    for entry, delta in folded.entries:
        body = entry.body
        if hasattr(body, "engine_seconds"):
            body = type(body)(
                **{f: getattr(body, f) for f in body.__slots__} | {"engine_seconds": 7.0}
            )
        slow.append(body, delta)
    one, two = document(folded), document(slow)

    assert one.pop("measured") != two.pop("measured")
    assert one == two
    assert document(folded)["measured"][0]["engine_hours"] == 1.25
    assert document(folded)["measured"][0]["curve"] == [900.0, 1800.0, 2700.0, 3600.0, 4500.0]


def test_audit_bounds_what_is_unique_and_right(folded):
    assert document(folded)["generations"][0]["adjusted_unique"] is None
    folded.append(Measurement(AUDIT, {"generation": 1, "stratum": ""}, AUDITED))
    folded.append(Measurement(AUDIT, {"generation": 1, "stratum": "b"}, AUDITED | {"right": 5}))
    found = document(folded)

    assert found["generations"][0]["precision"] == AUDITED
    assert found["generations"][0]["adjusted_unique"] == {"low": 80, "high": 95}
    assert [row["precision"] and row["precision"]["right"] for row in found["strata"]] == [None, 5]


def test_companions_are_told_as_they_were_measured(folded):
    assert document(folded)["generations"][0]["companions"] is None
    folded.append(Measurement(COMPANIONS, {"generation": 1}, {"documents": 3}))
    assert document(folded)["generations"][0]["companions"] == {"documents": 3}


def test_information_budget_counts_what_the_checks_saw(folded):
    # 38 accepted and one duplicate had passed, one was rejected.
    assert document(folded)["generations"][0]["information_budget"] == information_budget(40, 39)


def test_repeats_are_worth_what_all_generations_hold(folded):
    found = document(folded)["repeats"]

    assert found == {"unique": 100, "epochs": EPOCHS, "worth": worth_of_repeats(100, EPOCHS)}
    blind = Folded(recipe()).start().batch(fresh(0), sketch=False)
    assert document(blind)["repeats"] is None
    assert document(blind)["generations"][0]["unique"] == {}
    assert document(blind)["generations"][0]["unknown"]
    assert document(Folded(recipe()))["repeats"] is None


def test_trend_needs_four_finished_generations():
    folded = Folded(recipe(samples=SIZE))
    for number in range(4):
        folded.start().batch(fresh(number))
        folded.settle()
        assert document(folded)["forecast"]["trend"] is None
        folded.finish()
    found = document(folded)["forecast"]

    assert [found["trend"][end] for end in ("estimate", "low", "high")] == pytest.approx([24] * 3)
    assert found["trend_unknown"] == ""


def test_empty_ledger_is_a_document_too():
    found = document(Folded(recipe(target=TargetSpec(accepted=1))))

    assert (found["generations"], found["strata"], found["measured"]) == ([], [], [])
    assert found["forecast"]["next"] == []
