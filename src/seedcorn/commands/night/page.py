"""The page of a night: its own section in front of the ledger's page.

Invariant: pure; what comes from data is escaped, and the page still loads nothing.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, StrictUndefined

from seedcorn.commands.report.page import build_page, together
from seedcorn.commands.report.pairs import Pair
from seedcorn.commands.report.words import number, percent
from seedcorn.core.ledger.document import LedgerDocument
from seedcorn.core.night.document import SKIPPED, DriftNote, GrownNight, NightReport
from seedcorn.core.night.drift import UNKNOWN
from seedcorn.core.night.report_text import NAMES, sentences, summary

MAIN, NAVIGATION = "<main>", '<nav aria-label="Sections">'
"""Where the section and the link to it go."""
SECTION = """
<section aria-labelledby="night">
  <h2 id="night">Night {{ report.night }}</h2>
  <p><b>{{ headline | together }}</b></p>
  {% for sentence in sentences %}
  <p>{{ sentence | together }}</p>
  {% endfor %}
  {% if rows %}
  <div class="scroll" role="region" aria-labelledby="night-drift-caption" tabindex="0">
  <table id="night-drift">
    <caption id="night-drift-caption">This night against the nights before it</caption>
    <thead><tr>
      <th scope="col" class="words">figure</th><th scope="col">this night</th>
      <th scope="col">mean before</th><th scope="col">usual</th><th scope="col">nights</th>
      <th scope="col" class="words">verdict</th>
    </tr></thead>
    <tbody>
    {% for row in rows %}
      <tr>{% for cell in row %}<td class="{{ 'words' if loop.first or loop.last else 'figure' }}">{{ cell }}</td>{% endfor %}</tr>
    {% endfor %}
    </tbody>
  </table>
  </div>
  <p class="reading">Usual is where a figure like those of the nights before would fall 19 times in
  20; with fewer than three earlier nights, nothing is called usual.</p>
  {% endif %}
</section>
"""


def night_page(
    report: NightReport, document: LedgerDocument, pairs: Sequence[Pair], title: str
) -> str:
    """The ledger's page (about 4.9 MB) with the night's section first."""
    page = build_page(document, pairs, title)
    section = _template().render(
        report=report,
        headline=summary(report),
        sentences=sentences(report),
        rows=_rows(report) if report["status"] != SKIPPED else [],
    )
    link = f'{NAVIGATION}\n    <a href="#night">Night {report["night"]}</a>'
    before, main, after = page.partition(MAIN)
    return before.replace(NAVIGATION, link, 1) + main + section + after


def _rows(report: GrownNight) -> list[list[str]]:
    rows = [
        _row(NAMES[n], found, n.endswith("share")) for n, found in report["drift"].items() if found
    ]
    return rows + [
        _row(f"unique tokens per sample, {one['stratum']}", found, False)
        for one in report["strata"]
        if (found := one["per_sample"]) is not None
    ]


def _row(name: str, found: DriftNote, share: bool) -> list[str]:
    word = percent if share else number
    value = word(found["value"])
    if found["mean"] is None:
        return [name, value, "", "", "0", "first"]
    usual = ""
    if found["low"] is not None and found["high"] is not None:
        usual = f"{word(max(0.0, found['low']))} to {word(found['high'])}"
    verdict = "too few nights" if found["verdict"] == UNKNOWN else found["verdict"]
    return [name, value, word(found["mean"]), usual, str(found["nights"]), verdict]


@cache
def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["together"] = together
    return environment.from_string(SECTION)
