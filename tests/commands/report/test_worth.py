"""What the newest generation is worth, on the page: bars are the document's, unknown ones say why."""

import pytest

from seedcorn.commands.report.page import build_page
from seedcorn.commands.report.worth import Facts, teaching_chart, waterfall_chart, worth_blocks
from tests.commands.report.report_document import document, worthwhile


def bars(chart):
    [drawn] = chart.figure.data
    return dict(zip(drawn.y, drawn.x, strict=True))


def test_waterfall_has_a_bar_for_every_known_figure_of_the_document():
    row = worthwhile()["generations"][0]
    fall, chart = row["waterfall"], waterfall_chart(row)
    assert bars(chart) == {
        "generated": fall["generated"],
        "accepted": fall["accepted"],
        "unique": fall["unique"]["estimate"],
        "not explained": fall["unexplained"]["estimate"],
        "right": pytest.approx((fall["right"]["low"] + fall["right"]["high"]) / 2),
    }
    assert not chart.notes


def test_waterfall_draws_whiskers_for_intervals_alone():
    row = worthwhile()["generations"][0]
    [drawn] = waterfall_chart(row).figure.data
    left = row["waterfall"]["unexplained"]
    assert drawn.error_x.array[:3] == (None, None, None)
    assert drawn.error_x.array[3] == left["high"] - left["estimate"]
    assert drawn.error_x.arrayminus[3] == left["estimate"] - left["low"]


def test_waterfall_says_why_a_bar_is_unknown():
    row = document()["generations"][3]
    row["companions"] = {"withheld": {"unexplained": "the placebo row came out at .4"}}
    chart = waterfall_chart(row)
    assert set(bars(chart)) == {"generated", "accepted", "unique"}
    assert chart.notes[0] == "Not explained is unknown: the placebo row came out at .4."
    assert "no audit was recorded" in chart.notes[1]


def test_curve_of_teaching_leaves_out_what_is_unknown_and_is_in_thousandths():
    row = worthwhile()["generations"][0]
    chart = teaching_chart(row, row["companions"]["teaching"], row["companions"]["anchor_gain"])
    fresh, own = chart.figure.data
    assert tuple(fresh.x) == (0, 25000, 50000, 100000)
    assert own.y[-1] == pytest.approx(3.6)


def test_facts_have_units_of_their_own_and_are_unknown_by_name():
    known = worth_blocks(worthwhile())[0]
    assert isinstance(known, Facts)
    assert [fact.value for fact in known.facts] == [
        "38 fresh words",
        "2.9 engine-hours",
        "41.2 k unique tokens",
    ]
    unknown = worth_blocks(document())[0]
    assert all(fact.missing and fact.value == "unknown" for fact in unknown.facts)


def test_page_begins_with_the_verdict_in_its_colour():
    page = build_page(worthwhile(), [], "lakes")
    head = page[page.index("<h1") : page.index("</h1>")].replace("\u00a0", " ")
    assert head.startswith('<h1 class="said go">Worth going on: 100 words of generation 1 taught')
    assert page.index("What the newest generation is worth") < page.index("What was added")
