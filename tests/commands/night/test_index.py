"""The list of nights: what each row says, and nothing unescaped."""

import re

from seedcorn.commands.night.index import index_page, night_rows
from seedcorn.core.night.chronicle import Round, Skipped
from tests.commands.report import report_document

EVIL = report_document.EVIL


def rounds():
    """A night for each generation of the document, and one that grew nothing."""
    nights = [Round(n, f"2026-11-{n:02d}", 100) for n in (1, 2, 3, 4)]
    return [*nights, Round(skipped=[Skipped("2026-11-05", "deadline", f"too late {EVIL}")])]


def page_of(day):
    """Name of a night's page."""
    return f"night-2026-11-{day:02d}.html"


def test_rows_are_newest_first_with_figures_of_their_generation():
    told = report_document.document()
    rows = night_rows(told, rounds(), {page_of(1), page_of(5)})
    assert [row.night for row in rows] == [f"2026-11-{day:02d}" for day in (5, 4, 3, 2, 1)]
    late, running, _, _, first = rows
    assert (first.unique, first.ends, first.price, first.page) == (
        "231 k", "exact", "92.3 k", page_of(1),
    )  # fmt: skip
    assert first.result == "2,480 of 4,096 samples accepted; plan complete"
    assert (running.price, running.page) == ("", "")
    assert "running, 1,536 of 4,096" in running.result
    assert (late.unique, late.line, late.page) == ("", "", page_of(5))
    assert late.result.startswith("nothing grown: too late")


def test_small_curve_falls_with_what_each_batch_adds_and_knows_its_gaps():
    told = report_document.document()
    first = night_rows(told, rounds(), ())[-1]
    heights = [float(point.partition(",")[2]) for point in first.line.split()]
    assert len(heights) == 8
    assert heights[0] == 2
    assert heights == sorted(heights)
    for point in told["generations"][0]["curve"]:
        point["unique_tokens"] = None
        point["unique"] = None
    assert night_rows(told, rounds(), ())[-1].line == ""


def test_page_of_a_night_that_the_log_does_not_tell_of_is_listed_all_the_same():
    rows = night_rows(report_document.document(), rounds(), {page_of(9), "index.html"})
    assert (rows[0].night, rows[0].page) == ("2026-11-09", page_of(9))
    assert "its page says why" in rows[0].result
    assert len(rows) == 6


def test_list_escapes_what_comes_from_data_and_loads_nothing():
    page = index_page(
        report_document.document(), rounds(), {f"reports/{page_of(1)}"}, f"lakes {EVIL}"
    )
    assert "<script" not in page
    assert "<img" not in page
    assert "default-src 'none'" in page
    assert set(re.findall(r'(?:src|href)="([^"]*)"', page)) == {
        "data:,", "latest.html", page_of(1),
    }  # fmt: skip
