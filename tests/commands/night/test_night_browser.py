"""The nights' pages in headless Chromium: with the charts' script beside them, and alone."""

import pytest

from seedcorn.commands.night.index import index_page
from seedcorn.commands.night.page import night_page
from seedcorn.commands.report.page import plotting_script
from seedcorn.core.night.night import report_key
from seedcorn.core.night.report import night_report
from tests.commands.night.test_index import rounds
from tests.commands.report import report_document
from tests.commands.report.report_scripts import TEXTS
from tests.servers.chromium import Screen

pytestmark = pytest.mark.timeout(360)
NIGHT = "2026-11-04"
READABLE = 4.5


@pytest.fixture
def folder(tmp_path):
    """reports/ of a corpus whose last night is the document's last generation."""
    told = report_document.document()
    page = night_page(night_report(told, rounds()), told, report_document.pairs(), "lakes")
    name, script = plotting_script()
    (tmp_path / "reports").mkdir()
    key = report_key(NIGHT, "html")
    (tmp_path / key).write_text(page, encoding="utf-8")
    (tmp_path / "reports" / name).write_bytes(script)
    index = index_page(told, rounds(), {key}, "lakes")
    (tmp_path / "reports" / "index.html").write_text(index, encoding="utf-8")
    return tmp_path / "reports"


def test_page_draws_its_charts_with_the_script_beside_it(browser, folder):
    browser.get("about:blank")
    browser.get_log("browser")
    screen = Screen(browser, 390)
    screen.open(folder / f"night-{NIGHT}.html")
    assert browser.get_log("browser") == []
    assert screen.ask("return document.querySelectorAll('.plot .main-svg').length") >= 5
    assert screen.ask("return document.getElementById('without-charts').hidden") is True
    assert screen.texts("h1")[0].startswith("Look: generation 4 is not finished")
    blocked = "return fetch('https://example.org/').then(() => 'fetched', () => 'blocked')"
    assert screen.ask(blocked) == "blocked"
    browser.get_log("browser")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_that_was_copied_without_the_script_says_so_and_what_it_shows(browser, folder, scheme):
    name, _ = plotting_script()
    (folder / name).unlink()
    screen = Screen(browser, 390, scheme)
    browser.get((folder / f"night-{NIGHT}.html").as_uri())
    screen.wait("return document.documentElement.dataset.drawn === 'no'")
    [said] = screen.texts("#without-charts")
    assert name in said
    assert screen.texts("#chart-growth")[0].startswith("A curve over 4 generations.")
    assert screen.ask("return document.querySelectorAll('.plot svg').length") == 0
    assert len(screen.texts("#unique-table tbody tr")) == 4
    assert screen.ask("return document.documentElement.scrollWidth") <= 390
    worst, text = screen.ask(TEXTS)
    assert worst >= READABLE, text
    browser.get_log("browser")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_list_of_nights_is_readable_and_leads_to_a_night(browser, folder, width, scheme):
    screen = Screen(browser, width, scheme)
    browser.get((folder / "index.html").as_uri())
    assert screen.ask("return document.documentElement.scrollWidth") <= width
    worst, text = screen.ask(TEXTS)
    assert worst >= READABLE, text
    curves = (
        "return [...document.querySelectorAll('.spark')].map(s => s.getBoundingClientRect().width)"
    )
    assert len(screen.ask(curves)) == 4
    assert all(one > 40 for one in screen.ask(curves))
    screen.ask("document.querySelector('#nights-table a').click()")
    screen.wait("return document.documentElement.dataset.drawn === 'yes'")
    assert screen.texts("h1")[0].startswith("Look: generation 4 is not finished")
