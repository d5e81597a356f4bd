"""The report as one page: sections in reading order, put into the template.

Invariants: pure, so equal documents give equal pages; everything that comes from data passes the
template's escaping; the page may load nothing, or the one script beside it that it names, which its
content security policy enforces; without that script it says in words what the charts show.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import isfinite
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from seedcorn.commands.report.bars import cost_chart, outcome_chart
from seedcorn.commands.report.blocks import (
    Lines,
    Marks,
    Section,
    Text,
    marks_of,
    missing,
    no_growth,
    trend,
)
from seedcorn.commands.report.charts import Chart
from seedcorn.commands.report.examples import Example, blocks_of, cut_note
from seedcorn.commands.report.growth import growth_chart
from seedcorn.commands.report.pairs import Pair, groups
from seedcorn.commands.report.panels import forecast_chart, novelty_chart
from seedcorn.commands.report.plainly import abandoned_plainly, generation_plainly
from seedcorn.commands.report.tables import (
    audit_table,
    bound_table,
    companion_table,
    forecast_table,
    reason_table,
    sample_table,
    strata_table,
    unique_table,
)
from seedcorn.commands.report.words import deck, forecast_record, headline, repeats
from seedcorn.commands.report.worth import worth_blocks
from seedcorn.core.errors import SeedcornError
from seedcorn.core.ledger.document import LedgerDocument
from seedcorn.core.ledger.measures import EXPLANATIONS


@dataclass(frozen=True, slots=True)
class Lead:
    """What stands before the ledger's sections, in place of the corpus' own head."""

    title: str
    eyebrow: str
    headline: str
    deck: Sequence[str]
    links: Sequence[tuple[str, str]]
    """Where to, and what it is called."""
    section: Markup
    colour: str
    """Of the newest generation's verdict: go | look | stop; empty where there is none."""
    script: str
    """Name of the file beside the page that holds the plotting library."""


def build_page(
    document: LedgerDocument,
    pairs: Sequence[Pair],
    title: str,
    examples: Sequence[Example] = (),
    lead: Lead | None = None,
) -> str:
    """The whole page for a ledger document (`seedcorn ledger --json`), duplicate pairs and samples.

    About 4.9 MB, nearly all of it the plotting library, which ships in one piece; without it where
    `lead` names a script beside the page.
    """
    sections = [*_sections(document), *_texts(pairs, examples)]
    charts = [b for section in sections for b in section.blocks if isinstance(b, Chart)]
    figures = {chart.key: chart.figure.to_plotly_json() for chart in charts}
    head = lead or _lead(document, title)
    return template("report.html").render(
        head=head,
        sections=sections,
        explanations=EXPLANATIONS,
        document=document,
        style=style(),
        script=_shipped("report.js"),
        plotly="" if head.script else Markup(get_plotlyjs()),
        figures=_embedded(figures),
        ledger=_embedded(document),
    )


def _lead(document: LedgerDocument, title: str) -> Lead:
    """The corpus' own head: the verdict on its newest generation, then what there is."""
    said, generations = headline(document), document["generations"]
    told = [*([said] if generations else []), *deck(document)]
    return Lead(
        title=f"{title}: the ledger",
        eyebrow=f"Ledger of {title}",
        headline=generations[-1]["verdict"]["sentence"] if generations else said,
        deck=told,
        links=(),
        section=Markup(""),
        colour=colour_of(document),
        script="",
    )


def colour_of(document: LedgerDocument) -> str:
    """The verdict's colour on the newest generation; empty where there is none."""
    generations = document["generations"]
    return generations[-1]["verdict"]["colour"] if generations else ""


def _sections(document: LedgerDocument) -> Iterator[Section]:
    marks, generations = marks_of(document), document["generations"]
    if generations:
        yield Section("worth", "What the newest generation is worth", worth_blocks(document))
    lines = [
        generation_plainly(row, times)
        for row, times in zip(generations, document["measured"], strict=True)
    ]
    lines += [abandoned_plainly(one) for one in document.get("abandoned", ())]
    growth = growth_chart(document, marks)
    yield Section(
        "growth",
        "What was added",
        [growth or no_growth(document), Lines(lines), unique_table(document)],
    )
    yield Section(
        "outcomes",
        "Outcomes",
        [
            outcome_chart(document) or missing("outcomes"),
            sample_table(document),
            reason_table(document),
        ],
    )
    yield Section("cost", "Cost", [cost_chart(document) or missing("cost")])
    yield Section("strata", "Strata", [strata_table(document)])
    yield Section("novelty", "Novelty and form", _novelty(document))
    yield Section("forecasts", "Forecasts", _forecasts(document))
    yield Section(
        "alarms",
        "Alarms and decisions",
        [Marks(marks) if marks else Text("None: no alarm went off and nothing was decided.")],
    )
    yield Section("precision", "What audits found", [audit_table(document) or missing("audit")])


def _texts(pairs: Sequence[Pair], examples: Sequence[Example]) -> Iterator[Section]:
    """What was written, in its own words."""
    if examples:
        yield Section("samples", "Samples", [Text(cut_note()), *blocks_of(examples)])
    shown = groups(pairs)
    yield Section("duplicates", "Duplicates, side by side", shown or [missing("pairs")])


def _novelty(document: LedgerDocument) -> list[Any]:
    table = companion_table(document)
    blocks: list[Any] = [novelty_chart(document) or missing("novelty")]
    return [*blocks, table or missing("companions"), bound_table(document)]


def _forecasts(document: LedgerDocument) -> list[Any]:
    record, worth = forecast_record(document), repeats(document)
    chart, table = forecast_chart(document), forecast_table(document)
    blocks: list[Any] = [Text(record) if record else missing("scores")]
    blocks += [chart] if chart else []
    blocks += [table] if table.rows else []
    return [*blocks, trend(document), Text(worth) if worth else missing("worth")]


def write_page(name: str, page: str) -> int:
    """Replace the file `name` by `page`, through a temporary file beside it; returns its bytes.

    Raises SeedcornError when it cannot be written; a file that was there is then untouched.
    """
    target, data = Path(name), page.encode()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            temporary.write_bytes(data)
            os.replace(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise SeedcornError(f"cannot write {name}: {error.strerror}; give another -o") from error
    return len(data)


def plotting_script() -> tuple[str, bytes]:
    """The plotting library as a file: its name, which tells its version, and its content."""
    return f"plotly-{get_plotlyjs_version()}.min.js", get_plotlyjs().encode()


def style() -> Markup:
    """The stylesheet of all pages."""
    return _shipped("report.css")


@cache
def template(name: str) -> Any:
    """One of the shipped templates; it escapes what it is given."""
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["together"] = together
    return environment.from_string(_file(name))


def together(text: str) -> str:
    """The text with no line break between a number and what it counts."""
    return re.sub(r"(?<=\d) (?=[kMGT%](?!\w))|(?<=[Uπ\u03c1Γ=±]) (?=[-+\d.=±])", "\u00a0", text)


def _shipped(name: str) -> Markup:
    """A style or script of our own: never escaped, holds no data."""
    return Markup(_file(name))


def _file(name: str) -> str:
    return files("seedcorn.data").joinpath(name).read_text(encoding="utf-8")


def _embedded(value: Any) -> Markup:
    """JSON for a script element: no `<` in it, so no text can end the element."""
    text = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    return Markup(text.replace("<", "\\u003c"))


def _finite(value: Any) -> Any:
    """JSON knows no NaN and no infinity: they stand for unknown figures, as null does."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
