"""What the charts draw where there is little room, without a browser."""

from itertools import pairwise

from seedcorn.commands.report.blocks import marks_of
from seedcorn.commands.report.growth import MARKS, growth_chart
from seedcorn.commands.report.panels import NEWEST, forecast_chart
from seedcorn.commands.report.tables import forecast_table
from tests.commands.report.report_document import document, interval


def drawn(chart):
    """Plotly's data of a chart, by trace name."""
    return {trace.name: trace for trace in chart.figure.data}


def steep():
    """The document with nearly everything new, and alarms in every batch."""
    told = document()
    for row in told["generations"]:
        for point in row["curve"]:
            point["unique_tokens"] = interval(0.97 * point["generated"])
        row["unique_tokens"] = row["curve"][-1]["unique_tokens"]
        row["alarms"] = [
            {"batch": b, "stratum": "a", "name": "x", "value": 1.0, "usual": 0.1, "text": "t"}
            for b in range(len(row["curve"]))
        ]
    return told


def test_curve_where_all_is_new_leaves_room_above_for_its_one_label():
    chart = growth_chart(steep(), [])
    high = chart.figure.layout.yaxis.range[1]
    label = chart.figure.layout.annotations[-1]
    assert "unique" in label.text
    assert label.y < high / 1.25
    assert not any("everything" in note.text for note in chart.figure.layout.annotations)
    assert "dotted line" in chart.subtitle


def test_marks_that_would_touch_on_a_phone_share_one_that_counts_them():
    told = steep()
    marks = marks_of(told)
    chart = growth_chart(told, marks)
    trace = drawn(chart)["marks"]
    right = max(max(t.x) for t in chart.figure.data)
    assert all(after - before >= right / MARKS * 0.999 for before, after in pairwise(trace.x))
    assert trace.text[0] == "A1 +6"
    assert trace.textposition[0] == "middle right"
    assert sum(said.count("<br>") + 1 for said in trace.customdata) == len(marks)
    assert chart.figure.layout.xaxis.range[1] >= trace.x[-1] + right / MARKS * 0.999


def test_mark_that_stands_for_an_alarm_and_decisions_is_named_after_the_alarm():
    told = document()
    decision = told["generations"][1]["decisions"][0]
    told["generations"][1]["decisions"] = [decision | {"batch": b} for b in (2, 3)]
    trace = drawn(growth_chart(told, marks_of(told)))["marks"]
    assert trace.text[0] == "A1 +2"
    assert trace.marker.symbol[0] == "triangle-up"


def test_forecasts_of_batches_past_the_plan_are_neither_drawn_nor_listed():
    told = document()
    before = len(forecast_table(told).rows)
    row = told["generations"][0]
    past = row["forecasts"][-1] | {"batch": len(row["curve"]), "truth": None, "covered": None}
    row["forecasts"].append(past)
    bars = drawn(forecast_chart(told))["forecast interval"]
    assert f"gen 1, batch {past['batch']}" not in bars.x
    assert len(forecast_table(told).rows) == before
    row["status"], row["committed"] = "running", row["planned"] - 1
    assert len(forecast_table(told).rows) == before + 1


def test_every_forecast_that_is_drawn_has_its_mark_and_the_others_are_counted():
    told = document()
    chart = forecast_chart(told)
    traces = drawn(chart)
    marks = [*traces["actual, inside"].x, *traces["actual, outside"].x]
    assert sorted(marks) == sorted(traces["forecast interval"].x)
    assert chart.notes[-1].startswith("1 forecast not drawn")
    told["generations"][0]["forecasts"] *= 4
    chart = forecast_chart(told)
    assert len(drawn(chart)["forecast interval"].x) == NEWEST
    assert chart.notes[0].startswith(f"Only the newest {NEWEST} are drawn")
