"""The delta report's figures: one night against the others, from hand-made ledger rows."""

import json

import pytest

from seedcorn.core.night.chronicle import AddedRows, Round, Skipped, Writing
from seedcorn.core.night.report import night_report, skipped


def interval(estimate, half=0.0):
    return {"estimate": float(estimate), "low": estimate - half, "high": estimate + half}


SAID = {
    "colour": "go",
    "reason": "it teaches",
    "next": "",
    "sentence": "Worth going on: it teaches.",
}


def row(number, unique=1000, committed=100, accepted=90, **changes):
    return {
        "generation": number,
        "status": "finished",
        "reason": "exhausted",
        "detail": "all samples are decided",
        "unit": "uat",
        "verdict": SAID,
        "planned": committed,
        "committed": committed,
        "counts": {
            "accepted": accepted,
            "duplicate": committed - accepted,
            "failed": 0,
            "rejected": 0,
        },
        "tokens": {"accepted": 1800, "generated": 2000, "prompt": 10},
        "unique": {"8": interval(unique)} if unique is not None else {},
        "unknown": "" if unique is not None else "a sketch is missing",
        "yield_per_token": unique / 1800 if unique is not None else None,
        "containment": {"seen": 1.0, "shingles": 10.0},
        "companions": None,
        "alarms": [],
        "decisions": [],
    } | changes


def stratum(number, name, unique, samples=50):
    counts = {"accepted": samples, "duplicate": 0, "failed": 0, "rejected": 0}
    return {
        "generation": number,
        "stratum": name,
        "counts": counts,
        "unique": {"8": interval(unique)},
    }


def document(*rows, strata=(), measured=()):
    times = [{"next_hour": None, "engine_time": {}, "curve": [], **one} for one in measured]
    return {"generations": list(rows), "strata": list(strata), "measured": times}


def rounds(*nights, samples=100, **changes):
    """One round per night, the last one with `changes`, and what follows."""
    made = [Round(n, night, samples, 10.0 * n, 10.0 * n + 5) for n, night in enumerate(nights, 1)]
    for name, value in changes.items():
        setattr(made[-1], name, value)
    return [*made, Round()]


NIGHTS = [f"2026-11-{day:02d}" for day in range(1, 10)]


def test_delta_of_the_first_night_has_a_share_and_a_forecast_and_no_drift():
    outlook = {"samples": 100, "estimate": 900.0, "low": 800.0, "high": 990.0, "stratum": ""}
    report = night_report(document(row(1)), rounds(NIGHTS[0]), outlook)

    assert (report["night"], report["generation"], report["status"]) == ("2026-11-01", 1, "grown")
    assert report["unique"] == interval(1000)
    assert report["total"] == 1000
    assert report["drift"]["unique"]["verdict"] == "unknown"
    assert report["drift"]["novel_share"] is None
    assert report["next"] == {
        "estimate": 900.0,
        "low": 800.0,
        "high": 990.0,
        "samples": 100,
        "basis": "continuation",
        "nights": 1,
    }
    assert report["expected"] is None
    assert json.loads(json.dumps(report)) == report


def test_delta_figures_are_held_against_the_nights_before():
    # 60 of 100 accepted, where 90 +- 1 are usual: outside however it is counted.
    before = [row(n, accepted=89 + n % 3) for n in range(1, 5)]
    report = night_report(document(*before, row(5, accepted=60)), rounds(*NIGHTS[:5]))

    accepted = report["drift"]["accepted_share"]
    assert accepted["verdict"] == "fell"
    assert accepted["mean"] == pytest.approx((0.90 + 0.91 + 0.89 + 0.90) / 4)
    assert accepted["nights"] == 4
    assert report["drift"]["duplicate_share"]["verdict"] == "rose"
    assert report["drift"]["unique"]["verdict"] == "usual"
    assert report["total"] == 5000


def test_share_of_few_samples_moves_only_where_its_interval_has():
    before = [row(n, committed=1000, accepted=900) for n in range(1, 5)]
    few = night_report(document(*before, row(5, committed=20, accepted=16)), rounds(*NIGHTS[:5]))
    many = night_report(
        document(*before, row(5, committed=1000, accepted=800)), rounds(*NIGHTS[:5])
    )

    assert few["drift"]["accepted_share"]["value"] == many["drift"]["accepted_share"]["value"]
    assert few["drift"]["accepted_share"]["verdict"] == "usual"
    assert many["drift"]["accepted_share"]["verdict"] == "fell"


def test_trend_and_expectation_are_per_sample_so_that_a_short_night_hides_nothing():
    before = [row(n, unique=u) for n, u in enumerate((1000, 1010, 990, 1005), 1)]
    short = row(5, unique=501, committed=50, accepted=45)
    report = night_report(document(*before, short), rounds(*NIGHTS[:5]))

    assert report["expected"]["samples"] == 50
    assert report["expected"]["estimate"] == pytest.approx(500, rel=0.01)
    assert report["expected"]["held"]
    assert report["next"]["basis"] == "trend"
    assert report["next"]["samples"] == 100
    assert report["next"]["estimate"] == pytest.approx(1001, rel=0.01)
    assert report["drift"]["unique"]["verdict"] == "fell"
    assert report["drift"]["unique_per_sample"]["verdict"] == "usual"


def test_strata_are_judged_by_what_a_sample_of_theirs_adds():
    strata = [stratum(n, "retell", 500) for n in range(1, 5)]
    strata += [stratum(n, "invent", 500) for n in range(1, 6)]
    strata += [stratum(5, "retell", 20), stratum(5, "ask", 300, samples=30)]
    report = night_report(
        document(*(row(n) for n in range(1, 6)), strata=strata), rounds(*NIGHTS[:5])
    )
    found = {one["stratum"]: one for one in report["strata"]}

    assert found["retell"]["per_sample"]["verdict"] == "fell"
    assert found["invent"]["per_sample"]["verdict"] == "usual"
    assert found["ask"]["per_sample"] == {
        "value": 10.0,
        "mean": None,
        "low": None,
        "high": None,
        "nights": 0,
        "verdict": "unknown",
    }


def test_stratum_that_went_is_named_once():
    strata = [stratum(1, "retell", 500), stratum(2, "invent", 500), stratum(3, "invent", 500)]
    second = night_report(document(row(1), row(2), strata=strata[:2]), rounds(*NIGHTS[:2]))
    third = night_report(document(row(1), row(2), row(3), strata=strata), rounds(*NIGHTS[:3]))

    assert {s["stratum"]: s["per_sample"] is None for s in second["strata"]} == {
        "retell": True,
        "invent": False,
    }
    assert [s["stratum"] for s in third["strata"]] == ["invent"]


def test_missed_and_skipped_nights_rows_and_drivers_stand_beside_the_figures():
    made = rounds(
        "2026-11-01",
        "",
        "2026-11-05",
        seeds=[AddedRows("seed", "docs+1", 7), AddedRows("evaluation", "quiz", 3)],
        skipped=[Skipped("2026-11-03", "target", "enough is there")],
        writings=[Writing("a", 1, 0, 30.0), Writing("b", 2, 4, 33.0)],
    )
    report = night_report(document(row(1), row(2), row(3)), made)

    assert report["before"] == "2026-11-01"
    assert report["missed"] == ["2026-11-02", "2026-11-04"]
    assert report["skipped"] == [{"night": "2026-11-03", "text": "enough is there"}]
    assert report["seeds"] == [{"role": "seed", "source": "docs+1", "rows": 7}]
    assert report["taken_over"] == [4]
    assert [one["host"] for one in report["measured"]["writings"]] == ["a", "b"]


def test_unknown_figures_are_null_and_never_zero():
    report = night_report(document(row(1), row(2, unique=None)), rounds(*NIGHTS[:2]))

    assert report["unique"] is None
    assert report["unknown"] == "a sketch is missing"
    assert report["drift"]["unique"] is None
    assert report["drift"]["yield_per_token"] is None
    assert report["next"] is None
    assert report["measured"]["engine_hours"] is None


def test_unfinished_night_forecasts_nothing_by_its_trend():
    generations = [row(n) for n in range(1, 5)]
    open_one = row(5, status="running", reason="", committed=40, accepted=36)
    report = night_report(document(*generations, open_one), rounds(*NIGHTS[:5]))

    assert report["status"] == "unfinished"
    assert report["expected"] is None
    assert report["next"] is None


def test_measured_times_stand_under_measured_alone():
    times = [
        {"generation": n, "engine_hours": 0.5, "unique_per_engine_hour": 2000.0} for n in (1, 2)
    ]
    one = night_report(document(row(1), row(2), measured=times), rounds(*NIGHTS[:2]))
    other = night_report(document(row(1), row(2)), rounds(*NIGHTS[:2], started=99.0))

    assert one["measured"]["unique_per_engine_hour"] == 2000.0
    assert one["measured"]["rate_drift"]["mean"] == 2000.0
    assert {**one, "measured": 0} == {**other, "measured": 0}


def test_night_that_grew_nothing_is_reported_with_what_is_there():
    made = rounds("2026-11-01")
    made[-1].skipped = [
        Skipped("2026-11-02", "deadline", "late"),
        Skipped("2026-11-04", "target", "enough"),
    ]
    report = skipped("2026-11-04", "target", "enough", document(row(1)), made)

    assert (report["status"], report["generation"], report["total"]) == ("skipped", None, 1000)
    assert report["missed"] == ["2026-11-03"]
    assert report["skipped"] == [{"night": "2026-11-02", "text": "late"}]
