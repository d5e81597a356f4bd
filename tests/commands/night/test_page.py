"""The night's page: its section first, figures as reported, nothing from data unescaped."""

from markupsafe import escape

from seedcorn.commands.night.page import night_page
from seedcorn.core.night.chronicle import AddedRows, Round
from seedcorn.core.night.report import night_report, skipped
from seedcorn.core.night.report_text import sentences
from tests.commands.report import report_document
from tests.core.night import test_report

DOCUMENT = report_document.document()


def rounds():
    """Nights for the generations of the document."""
    numbers = [row["generation"] for row in DOCUMENT["generations"]]
    return [*(Round(n, f"2026-11-{n:02d}", 100) for n in numbers), Round()]


def test_page_has_the_night_before_the_ledger_with_every_sentence():
    report = night_report(DOCUMENT, rounds())
    page = night_page(report, DOCUMENT, [], "corpus")
    night = page[page.index('<h2 id="night">') : page.index('<h2 id="growth">')]

    assert page.index('href="#night"') < page.index('href="#growth"') < page.index("<main>")
    assert page.count('id="night"') == 1
    plain = night.replace("\u00a0", " ").replace("&#39;", "'").replace("&#34;", '"')
    first, *rest = sentences(report)
    for sentence in rest:
        assert sentence in plain
    assert f'<h1 class="said look">{escape(first)}</h1>' in page.replace("\u00a0", " ")
    assert night.count("<tr>") > 5


def test_page_of_a_night_that_grew_nothing_has_no_table_of_its_own():
    report = skipped("2026-11-30", "target", "enough <is> there", DOCUMENT, rounds())
    page = night_page(report, DOCUMENT, [], "corpus")
    assert "Nothing was grown: enough &lt;is&gt; there." in page
    assert 'id="night-drift"' not in page


def test_page_escapes_what_comes_from_data():
    made = test_report.rounds("2026-11-01", seeds=[AddedRows("seed", "<script>x</script>", 7)])
    strata = [test_report.stratum(1, "<b>bold</b>", 500)]
    report = night_report(test_report.document(test_report.row(1), strata=strata), made)
    page = night_page(report, DOCUMENT, [], "corpus")
    night = page[page.index('<h2 id="night">') : page.index('<h2 id="growth">')]

    assert "&lt;script&gt;x&lt;/script&gt;" in night
    assert "&lt;b&gt;bold&lt;/b&gt;" in night
    assert "<script>" not in night
