"""The report in headless Chromium: what a reader sees equals the ledger document.

SEEDCORN_SCREENSHOTS=FOLDER keeps the screenshots.
"""

import base64
import json
import os
import zlib
from itertools import pairwise
from pathlib import Path

import pytest

from seedcorn.commands.report.page import build_page
from tests.commands.report.report_document import document, pairs
from tests.commands.report.report_scripts import CHART_TEXTS, RATIOS, SHOWN, TEXTS
from tests.servers.chromium import Screen

pytestmark = pytest.mark.timeout(360)
WIDE, PHONE = 1200, 360
READABLE = 4.5
"""WCAG 2.2 AA: contrast of text against what is behind it."""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(build_page(document(), pairs(), "lakes"), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def shown(browser, page):
    """What the page holds once drawn: plotly's own data, the tables' values, the document."""
    screen = Screen(browser, WIDE)
    screen.open(page)
    return screen.ask(SHOWN)


def traces(shown, chart):
    """Plotly's data of a chart, by trace name."""
    return {trace["name"]: trace for trace in shown["charts"][f"chart-{chart}"]}


def test_report_loads_without_console_message_and_asks_nobody_for_anything(browser, page):
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    screen = Screen(browser, WIDE)
    screen.open(page)
    assert browser.get_log("browser") == []
    events = [json.loads(one["message"])["message"] for one in browser.get_log("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"].endswith("WillBeSent")]
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert [url for url in asked if url.startswith("file")] == [page.as_uri()]
    assert screen.ask("return performance.getEntriesByType('resource').length") == 0
    blocked = "return fetch('https://example.org/').then(() => 'fetched', () => 'blocked')"
    assert screen.ask(blocked) == "blocked"
    browser.get_log("browser")


def test_report_runs_nothing_that_comes_from_data(browser, page):
    screen = Screen(browser, WIDE)
    screen.open(page)
    assert screen.ask("return document.images.length") == 0
    assert screen.ask("return document.scripts.length") == 4
    assert any("<script>alert('x')</script>" in text for text in screen.texts("td.words"))


def test_curve_draws_the_documents_running_totals(shown):
    told = document()
    drawn = traces(shown, "growth")
    tokens = unique = 0
    for row in told["generations"]:
        trace = drawn[f"generation {row['generation']}"]
        assert trace["x"] == [tokens] + [tokens + p["generated"] for p in row["curve"]]
        points = [unique + p["unique_tokens"]["estimate"] for p in row["curve"]]
        assert trace["y"] == pytest.approx([unique, *points])
        tokens += row["tokens"]["generated"]
        unique += row["unique_tokens"]["estimate"]
    coming = told["forecast"]["next"][0]
    assert drawn["forecast"]["y"] == pytest.approx([unique, unique + coming["estimate"]])
    assert drawn["forecast interval"]["y"] == pytest.approx(
        [unique, unique + coming["high"], unique + coming["low"], unique]
    )
    assert drawn["forecast"]["x"] == pytest.approx([tokens, tokens + 4096 * 180])
    assert drawn["marks"]["text"] == ["A1 D1", "D2"]


def test_bars_draw_the_documents_counts_and_prices(shown):
    told = document()
    drawn = traces(shown, "outcomes")
    rows = told["generations"]
    assert drawn["accepted"]["x"] == [row["counts"]["accepted"] for row in rows]
    for outcome in ("duplicate", "rejected", "failed"):
        parts = [trace["x"] for name, trace in drawn.items() if name.startswith(f"{outcome}:")]
        sums = [sum(column) for column in zip(*parts, strict=True)]
        assert sums == [row["counts"][outcome] for row in rows]
    for kind in ("exact:same", "near:same", "near:seed"):
        trace = drawn[f"duplicate: {kind}"]
        assert trace["x"] == [row["duplicates"][kind] for row in rows]
    pairs = list(zip(rows, told["measured"], strict=True))[:3]
    prices = [row["unique_tokens"]["estimate"] / times["engine_hours"] for row, times in pairs]
    assert traces(shown, "cost")["unique per engine-hour"]["x"] == [*prices, None]
    assert "engine time unknown" in shown["said"]["chart-cost"]


def test_histograms_and_forecasts_draw_the_document(shown):
    told = document()
    drawn = traces(shown, "novelty")
    assert len(drawn) == 3
    for row in told["generations"][:3]:
        histogram = row["companions"]["novel_share"]["histogram"]
        trace = drawn[f"generation {row['generation']}"]
        assert trace["customdata"] == histogram
        assert trace["y"] == pytest.approx([n / sum(histogram) for n in histogram])
    made = [
        one for row in told["generations"] for one in row["forecasts"] if one["truth"] is not None
    ]
    drawn = traces(shown, "forecasts")
    interval = drawn["forecast interval"]
    assert interval["base"] == pytest.approx([one["low"] for one in made])
    assert interval["y"] == pytest.approx([one["high"] - one["low"] for one in made])
    for name, held in (("actual, inside", True), ("actual, outside", False)):
        truths = [one["truth"] for one in made if one["covered"] is held]
        assert drawn[name]["y"] == pytest.approx(truths)
    assert (
        drawn["actual, outside"]["marker"]["symbol"] != drawn["actual, inside"]["marker"]["symbol"]
    )


def test_tables_hold_the_documents_values(shown):
    told = document()
    tables = shown["tables"]
    rows = told["generations"]
    assert [row[:5] for row in tables["unique-table"]] == [
        [
            r["generation"],
            r["unique_tokens"]["estimate"],
            *(r["unique"][n]["estimate"] for n in ("8", "3", "13")),
        ]
        for r in rows
    ]
    assert [row[4:8] for row in tables["sample-table"]] == [
        [r["counts"][o] for o in ("accepted", "duplicate", "rejected", "failed")] for r in rows
    ]
    strata = tables["strata-table"]
    assert [(r[0], r[1], r[3], r[4]) for r in strata] == [
        (
            s["generation"],
            s["stratum"],
            s["unique"]["8"]["estimate"],
            s["exclusive"]["8"]["estimate"],
        )
        for s in told["strata"]
    ]
    assert [r[6] for r in strata] == [s["next"] and s["next"]["estimate"] for s in told["strata"]]
    assert tables["audit-table"] == [[1, 400, 391, 0.9775, [276000, 286000]]]
    gains = [row[8] for row in tables["companion-table"]]
    assert gains == [None, 0.0061, 0.0061]


def test_page_carries_the_ledger_document_itself(shown):
    assert shown["ledger"] == json.loads(json.dumps(document()))


@pytest.mark.parametrize("width", [PHONE, 768, WIDE])
def test_nothing_but_tables_scrolls_sideways(browser, page, width):
    screen = Screen(browser, width)
    screen.open(page)
    assert screen.ask("return document.documentElement.scrollWidth") <= width
    screen.ask("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert screen.ask("return document.documentElement.scrollWidth") <= width
    over = (
        "return [...document.querySelectorAll('main *, header *')].filter(e => "
        "!e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1).length"
    )
    assert screen.ask(over) == 0
    drawn = "return [...document.querySelectorAll('.plot .main-svg')].map(s => s.clientWidth)"
    assert all(0 < one <= width for one in screen.ask(drawn))


@pytest.mark.parametrize("width", [PHONE, WIDE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_readable_in_both_schemes_and_its_picture_is_kept(
    browser, page, tmp_path, width, scheme
):
    screen = Screen(browser, width, scheme)
    screen.open(page)
    dark = screen.ask(
        RATIOS + "return luminance(rgb(getComputedStyle(document.body).backgroundColor))"
    )
    assert dark < 0.03 if scheme == "dark" else dark > 0.8
    card = screen.ask("return getComputedStyle(document.querySelector('.chart')).backgroundColor")
    papers = "return [...document.querySelectorAll('.plot .main-svg')].map(s => s.style.background)"
    assert card in screen.ask(papers)
    worst, said = screen.ask(TEXTS)
    assert worst >= READABLE, said
    texts = screen.ask(CHART_TEXTS)
    assert len(texts) > 40
    assert [text for text in texts if text[0] < READABLE] == []
    folder = Path(os.environ.get("SEEDCORN_SCREENSHOTS", tmp_path))
    pixels = shoot(browser, folder / f"report-{width}-{scheme}.png")
    assert len(set(pixels)) > 64


def test_charts_follow_a_scheme_that_changes_while_they_are_looked_at(browser, page):
    screen = Screen(browser, WIDE, "light")
    screen.open(page)
    colour = "return document.getElementById('chart-growth').layout.font.color"
    light = screen.ask(colour)
    screen.prefer("dark")
    screen.wait(f"{colour} !== '{light}'")
    ink = "return getComputedStyle(document.documentElement).getPropertyValue('--ink').trim()"
    assert screen.ask(colour) == screen.ask(ink)


def test_labels_on_patterned_bars_are_readable_in_both_schemes(browser, page):
    names = [
        (f"--on-{outcome}", f"--{outcome}-{shade}")
        for outcome in ("duplicate", "rejected", "failed")
        for shade in range(4)
    ]
    script = RATIOS + (
        "const probe = document.body.appendChild(document.createElement('i'));"
        "const seen = (name) => { probe.style.color = `var(${name})`;"
        " return rgb(getComputedStyle(probe).color); };"
        "return arguments[0].map(([on, of]) => ratio(seen(on), seen(of)))"
    )
    for scheme in ("light", "dark"):
        screen = Screen(browser, WIDE, scheme)
        screen.open(page)
        ratios = screen.ask(script, names)
        assert [n for n, r in zip(names, ratios, strict=True) if r < READABLE] == []


def test_page_can_be_found_through_without_seeing_it(browser, page):
    screen = Screen(browser, WIDE)
    screen.open(page)
    assert screen.ask("return document.documentElement.lang") == "en"
    for landmark in ("header", "nav", "main", "footer"):
        assert screen.ask(f"return document.querySelectorAll('body {landmark}').length") == 1
    levels = screen.ask(
        "return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    described = screen.ask(
        "return [...document.querySelectorAll('.plot')].map(p => [p.role, p.ariaLabel])"
    )
    assert len(described) == 6
    assert all(role == "img" and len(label) > 30 for role, label in described)
    bare = "return [...document.querySelectorAll('table')].filter(t => !t.caption).length"
    assert screen.ask(bare) == 0
    dead = (
        "return [...document.querySelectorAll('a')].filter("
        "a => !document.getElementById(a.hash.slice(1))).map(a => a.hash)"
    )
    assert screen.ask(dead) == []


def test_page_prints_light_with_charts_that_fit_the_paper(browser, page):
    screen = Screen(browser, WIDE, "dark")
    screen.open(page)
    screen.prefer("dark", "print")
    screen.ask("dispatchEvent(new Event('beforeprint'))")
    widths = "return Math.max(...[...document.querySelectorAll('.plot .main-svg')].map(s => s.clientWidth))"
    screen.wait(f"{widths.replace('return', 'return 704 >=')}")
    ink = screen.ask("return document.getElementById('chart-growth').layout.font.color")
    assert ink == "#1a211d"
    printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed.startswith(b"%PDF")
    assert len(printed) > 50_000
    screen.ask("dispatchEvent(new Event('afterprint'))")
    screen.wait(f"{widths.replace('return', 'return 704 <')}")


def shoot(browser, path):
    """Save the whole page as PNG; returns its filtered pixels."""
    shot = browser.execute_cdp_cmd(
        "Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"}
    )
    data = base64.b64decode(shot["data"])
    path.write_bytes(data)
    compressed, place = b"", 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4])
        if data[place + 4 : place + 8] == b"IDAT":
            compressed += data[place + 8 : place + 8 + length]
        place += 12 + length
    return zlib.decompress(compressed)
