"""The list of all nights, as one small page beside the nights' own.

Made from the ledger and the chronicle alone, so it is whole whichever reports were deleted; a night
whose page is gone has no link. Invariant: pure; what comes from data is escaped, and the page loads
nothing.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from seedcorn.commands.report.page import style, template
from seedcorn.commands.report.words import ending, ends, headline, number
from seedcorn.core.figures import counted
from seedcorn.core.ledger.document import Generation, LedgerDocument, Times
from seedcorn.core.ledger.measures import added_by, headline_point, headline_rate
from seedcorn.core.ledger.verdict.verdict import SAID
from seedcorn.core.night.chronicle import Round
from seedcorn.core.night.night import LATEST, REPORTS, report_key

WIDTH, HEIGHT, EDGE = 100, 24, 2
"""Of a small curve, in the units of its view box."""


@dataclass(frozen=True, slots=True)
class NightRow:
    """A night as the list shows it."""

    night: str
    result: str
    """What it did, in one line."""
    page: str = ""
    """Name of its page; empty where there is none."""
    unique: str = ""
    ends: str = ""
    price: str = ""
    verdict: str = ""
    colour: str = ""
    worth: str = ""
    worth_ends: str = ""
    line: str = ""
    """Points of the small curve; empty where fewer than two batches are known."""
    described: str = ""
    """The small curve in words."""


def index_page(
    document: LedgerDocument, rounds: Sequence[Round], pages: Collection[str], title: str
) -> str:
    """The list; `pages` are the keys below reports/ that exist."""
    rows = night_rows(document, rounds, {key.removeprefix(REPORTS) for key in pages})
    grown = sum(bool(row.unique) for row in rows)
    return template("nights.html").render(
        title=title,
        headline=f"{counted(len(rows), 'night')}, of which {grown:,} grew the corpus.",
        deck=f"The corpus so far: {headline(document)}",
        latest=LATEST.removeprefix(REPORTS) if pages else "",
        rows=rows,
        style=style(),
    )


def night_rows(
    document: LedgerDocument, rounds: Sequence[Round], pages: Collection[str]
) -> list[NightRow]:
    """Every night that grew something or decided not to, newest first."""
    found: dict[str, NightRow] = {}
    for night, result in _skipped(rounds):
        found[night] = NightRow(night, result, _page(night, pages))
    figures = {row["generation"]: row for row in document["generations"]}
    times = {one["generation"]: one for one in document["measured"]}
    for one in rounds:
        row = figures.get(one.generation)
        if one.night and row is not None:
            page = _page(one.night, pages)
            found[one.night] = _grown(one.night, page, row, times[one.generation])
    for page in pages:
        night = page.removeprefix("night-").removesuffix(".html")
        if night not in found and page == _page(night, pages):
            found[night] = NightRow(night, "nothing grown; its page says why", page)
    return [found[night] for night in sorted(found, reverse=True)]


def _skipped(rounds: Sequence[Round]) -> Iterator[tuple[str, str]]:
    for one in rounds:
        for skip in one.skipped:
            yield skip.night, f"nothing grown: {skip.text}"


def _page(night: str, pages: Collection[str]) -> str:
    name = report_key(night, "html").removeprefix(REPORTS)
    return name if name in pages else ""


def _grown(night: str, page: str, row: Generation, times: Times) -> NightRow:
    unique, rate = added_by(row), headline_rate(row, times)
    added, worth = _added(row), (row["companions"] or {}).get("worth")
    return NightRow(
        night=night,
        result=_result(row),
        page=page,
        unique=number(unique["estimate"]) if unique else "unknown",
        ends=ends(unique) if unique else "",
        price=number(rate) if rate is not None else "",
        verdict=SAID[row["verdict"]["colour"]],
        colour=row["verdict"]["colour"],
        worth=f"{worth['estimate']:.0f}" if worth else "unknown",
        worth_ends=f"{worth['low']:.0f} to {worth['high']:.0f}" if worth else "",
        line=_line(added),
        described=f"from {number(added[0])} to {number(added[-1])} a batch" if added else "",
    )


def _result(row: Generation) -> str:
    accepted, alarms = row["counts"]["accepted"], len(row["alarms"])
    told = f"{accepted:,} of {counted(row['committed'], 'sample')} accepted; {ending(row)}"
    return f"{told}; {counted(alarms, 'alarm')}" if alarms else told


def _added(row: Generation) -> list[float]:
    """Unique tokens of each batch whose own and the one before it are known."""
    totals = [0.0, *(found["estimate"] for p in row["curve"] if (found := headline_point(p)))]
    return [after - before for before, after in pairwise(totals)]


def _line(added: Sequence[float]) -> str:
    """Points from left to right, the greatest at the top and zero on the ground."""
    if len(added) < 2 or max(added) <= 0:
        return ""
    step, tall = WIDTH / (len(added) - 1), (HEIGHT - 2 * EDGE) / max(added)
    ground = HEIGHT - EDGE
    points = [(step * k, ground - tall * max(one, 0.0)) for k, one in enumerate(added)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
