"""A night in words: the line for schedulers, and sentences that carry the report's figures."""

import pytest

from seedcorn.core.night.report import night_report, skipped
from seedcorn.core.night.report_text import sentences, summary
from tests.core.night.test_report import NIGHTS, document, interval, rounds, row, stratum

TIMES = [{"generation": 1, "engine_hours": 0.4, "unique_per_engine_hour": 103_000.0}]
OUTLOOK = {"samples": 600, "estimate": 38_000.0, "low": 30_000.0, "high": 44_000.0, "stratum": ""}


def first(**changes):
    """The report on one night of 600 samples, 512 of them accepted."""
    made = row(1, committed=600, accepted=512) | {"unit": "uvt", **changes}
    made["unique"] = {"8": interval(41_200, 124)}
    return night_report(document(made, measured=TIMES), rounds(NIGHTS[0]), OUTLOOK)


def test_summary_is_one_line_with_error_cost_forecast_and_alarms():
    assert summary(first()) == (
        "night 2026-11-01: Worth going on: it teaches. +41.2 k uvt (±0.3 %), 512 of 600 accepted, 0.4 engine-hours, "
        "next night 38.0 k [30.0 k, 44.0 k], no alarm"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": "target"}, "ended at the corpus's target"),
        ({"reason": "stop_rule"}, "ended by the stop rule"),
        ({"reason": "budget"}, "ended by its budget"),
        (
            {
                "reason": "budget",
                "decisions": [
                    {"action": "stop", "batch": 3, "value": {"deadline": 1.0}, "reason": "late"}
                ],
            },
            "ended at its deadline",
        ),
        ({"status": "running", "planned": 900}, "unfinished, 900 planned"),
    ],
)
def test_summary_names_how_a_night_ended_unless_its_plan_was_done(changes, said):
    assert f", {said}, " in summary(first(**changes))
    assert "ended" not in summary(first())


def alarm(batch, name="one_document", stratum="retell"):
    text = f"something in {batch}"
    return {"batch": batch, "stratum": stratum, "name": name, "value": 1, "usual": 0, "text": text}


def test_alarms_that_go_on_are_told_once_each():
    report = first(alarms=[alarm(3), alarm(3, "drops"), alarm(4), alarm(5), alarm(6, stratum="")])
    said = sentences(report)

    assert (
        "Alarm (one document) in retell, batch 3: something in 3. The same in 2 more batches."
        in said
    )
    assert "Alarm (drops) in retell, batch 3: something in 3." in said
    assert "Alarm (one document), batch 6: something in 6." in said
    assert summary(report).endswith("alarms in retell (one document, drops) and all (one document)")


def test_sentences_say_what_moved_and_from_where():
    before = [row(n) for n in range(1, 5)]
    strata = [stratum(n, "retell", 500) for n in range(1, 5)] + [stratum(5, "retell", 50)]
    strata += [stratum(4, "gone", 500), stratum(5, "ask", 100)]
    report = night_report(
        document(*before, row(5, accepted=60), strata=strata), rounds(*NIGHTS[:5])
    )
    said = sentences(report)

    assert (
        "Share accepted fell: 60 %, 90 % on average in the 4 nights before "
        "(usual: 86 % to 94 %)." in said
    )
    assert (
        "Stratum retell fell in unique tokens per sample: 1, 10 on average in the 4 nights before "
        "(usual: 9.5 to 10.5)." in said
    )
    assert "Stratum gone was not drawn, unlike the night before." in said
    assert "Stratum ask is new: 2 unique tokens per sample." in said
    assert any("Earlier nights predicted 1.00 k" in one for one in said)


def test_nothing_unusual_is_said_to_be_so():
    report = night_report(document(*(row(n) for n in range(1, 6))), rounds(*NIGHTS[:5]))
    assert "Every figure is in its usual range over the 4 nights before." in sentences(report)
    assert "No alarm went off and nothing was decided." in sentences(report)


@pytest.mark.parametrize(
    ("night", "said"),
    [
        ("2026-11-03", "Night 2026-11-02 was missed: no generation since night 2026-11-01."),
        (
            "2026-11-04",
            "2 nights were missed: no generation in 2026-11-02, 2026-11-03 since night 2026-11-01.",
        ),
        (
            "2026-11-30",
            "28 nights were missed: no generation in 2026-11-02 to 2026-11-29 since night "
            "2026-11-01.",
        ),
    ],
)
def test_missed_nights_are_listed_or_counted(night, said):
    report = night_report(document(row(1), row(2)), rounds("2026-11-01", night))
    assert said in sentences(report)


def test_unknown_u_says_why():
    report = night_report(document(row(1, unique=None)), rounds(NIGHTS[0]))
    assert "unknown unique tokens (a sketch is missing)" in summary(report)
    assert any("is unknown: there are too few nights" in one for one in sentences(report))


def test_night_that_grew_nothing_says_why():
    report = skipped("2026-11-02", "target", "enough", document(row(1)), rounds("2026-11-01"))
    assert summary(report) == "night 2026-11-02: nothing grown: enough"
    assert sentences(report) == ["Nothing was grown: enough."]


def test_engine_time_is_told_by_what_it_went_into_where_it_was_measured():
    spent = {"useful": 60.0, "duplicate": 10.0, "rejected": 10.0, "idle": 20.0}
    told = "Engine time: 60 % useful, 10 % duplicate, 10 % rejected, 20 % idle."
    times = [TIMES[0] | {"engine_time": spent}]
    report = night_report(document(row(1), measured=times), rounds(NIGHTS[0]), OUTLOOK)
    assert report["measured"]["engine_time"] == spent
    assert told in sentences(report)
    assert not [said for said in sentences(first()) if said.startswith("Engines")]
