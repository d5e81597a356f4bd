"""The page of a night: its own head and section in front of the ledger's.

Invariant: pure; what comes from data is escaped, and the page loads nothing but the script beside it.
"""

from collections.abc import Sequence

from markupsafe import Markup

from seedcorn.commands.report.examples import Example
from seedcorn.commands.report.page import Lead, build_page, plotting_script, template
from seedcorn.commands.report.pairs import Pair
from seedcorn.commands.report.words import headline, number
from seedcorn.core.figures import percent
from seedcorn.core.ledger.document import LedgerDocument
from seedcorn.core.night.document import SKIPPED, DriftNote, GrownNight, NightReport
from seedcorn.core.night.drift import UNKNOWN
from seedcorn.core.night.night import INDEX
from seedcorn.core.night.report_text import NAMES, sentences


def night_page(
    report: NightReport,
    document: LedgerDocument,
    pairs: Sequence[Pair],
    title: str,
    examples: Sequence[Example] = (),
) -> str:
    """The night's head and section, then the ledger's; the plotting library stands beside it."""
    told = sentences(report)
    section = template("night.html").render(
        report=report,
        sentences=told[1:],
        rows=_rows(report) if report["status"] != SKIPPED else [],
    )
    night = f"Night {report['night']}"
    lead = Lead(
        title=f"{night} of {title}",
        eyebrow=f"{night} of {title}",
        headline=told[0],
        deck=[f"The corpus so far: {headline(document)}"],
        links=[("#night", night), (INDEX.rpartition("/")[2], "All nights")],
        section=Markup(section),
        colour=_colour(report),
        script=plotting_script()[0],
    )
    return build_page(document, pairs, title, examples, lead)


def _colour(report: NightReport) -> str:
    return (
        report["verdict"]["colour"] if report["status"] != SKIPPED and "verdict" in report else ""
    )


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
