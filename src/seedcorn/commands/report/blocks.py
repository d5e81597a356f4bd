"""What a section of the report is made of besides charts, tables and pairs: paragraphs, the lines of
the ledger, alarms and decisions with the tags that mark them in the curve, and what is said in place
of a figure that is not there.

Every block has a `kind`, by which the template knows how to show it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedcorn.commands.report.words import RHO, Document, number, with_ends

_MISSING = {
    "outcomes": "No batch has been committed yet, so no sample has an outcome.",
    "cost": "No engine time was recorded, so there is no yield per engine-hour.",
    "novelty": (
        f"The novel share of documents ({RHO}) was not measured in any generation: the recipe's "
        "ledger.companions asks for it."
    ),
    "companions": "No companion of U was measured in any generation.",
    "scores": "No forecast has met its batch yet, so how often they hold is unknown.",
    "worth": "What repeating the corpus is worth was not computed.",
    "audit": (
        "No audit has been recorded, so how much of the unique content is right is unknown. "
        "`seedcorn audit CORPUS -n 400` draws what to look at."
    ),
    "pairs": "No duplicate is shown: there is none, or no texts were given for this page.",
}
"""What is said in place of a part of the page that is not there."""
ACTIONS = {
    "stop": "Stop",
    "drop_stratum": "Stop drawing a stratum",
    "move_budget": "Move budget",
    "sketch_rate": "Lower the sample rate",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """An alarm or a decision at a batch of a generation."""

    tag: str
    """A1, A2 … for alarms, D1, D2 … for decisions."""
    alarm: bool
    generation: int
    batch: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; `missing` where it says that a figure is not there."""

    text: str
    missing: bool = False
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Lines:
    """One line per generation."""

    lines: Sequence[str]
    kind: str = "lines"


@dataclass(frozen=True, slots=True)
class Marks:
    """Alarms and decisions as a list."""

    marks: Sequence[Mark]
    kind: str = "marks"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands under it; every block has a `kind` that the template knows."""

    anchor: str
    title: str
    blocks: list[Any] = field(default_factory=list)


def missing(part: str) -> Text:
    """What stands in place of a part of the page."""
    return Text(_MISSING[part], missing=True)


def no_growth(document: Document) -> Text:
    """Why there is no curve."""
    rows = document["generations"]
    why = rows[0].get("unknown") if rows else "no generation has started"
    return Text(f"There is no curve: {why or 'nothing was counted yet'}.", missing=True)


def trend(document: Document) -> Text:
    """What the next generation should add, or why nobody can say."""
    forecast = document.get("forecast") or {}
    if forecast.get("trend"):
        return Text(f"The next generation should add {with_ends(forecast['trend'])} unique tokens.")
    why = forecast.get("trend_unknown") or "no forecast was made"
    return Text(f"What the next generation adds is unknown: {why}.", missing=True)


def marks_of(document: Document) -> list[Mark]:
    """All of them in the order in which they came; decisions of a batch follow its alarms."""
    found = [
        (row["generation"], one["batch"], alarm, one)
        for row in document["generations"]
        for alarm, key in ((True, "alarms"), (False, "decisions"))
        for one in row.get(key) or []
    ]
    marks, counts = [], {True: 0, False: 0}
    for generation, batch, alarm, one in sorted(found, key=lambda m: (m[0], m[1], not m[2])):
        counts[alarm] += 1
        tag = f"{'A' if alarm else 'D'}{counts[alarm]}"
        title, text = _alarm(one) if alarm else _decision(one)
        marks.append(Mark(tag, alarm, generation, batch, title, text))
    return marks


def _alarm(one: Document) -> tuple[str, str]:
    where = f" in {one['stratum']}" if one.get("stratum") else ""
    title = f"{_words(one['name'])}{where}: {number(one['value'])}, usually {number(one['usual'])}"
    return title, one.get("text") or ""


def _decision(one: Document) -> tuple[str, str]:
    title = ACTIONS.get(one["action"], _words(one["action"]))
    value = one.get("value")
    if isinstance(value, Mapping) and value:
        told = [_pair(key, item) for key, item in sorted(value.items()) if item not in ("", None)]
        title = f"{title}: {', '.join(told)}" if told else title
    return title, one.get("reason") or ""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _pair(key: str, item: Any) -> str:
    return _value(item) if key == "stratum" else f"{_words(key)} {_value(item)}"


def _value(item: Any) -> str:
    if isinstance(item, bool) or not isinstance(item, int | float):
        return str(item)
    return number(item)
