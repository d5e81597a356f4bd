"""What a section of the report is made of besides charts, tables and pairs: paragraphs, the lines of
the ledger, alarms and decisions with the tags that mark them in the curve, and what is said in place
of a figure that is not there.

Every block has a `kind`, by which the template knows how to show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seedcorn.commands.report.words import RHO, number, with_ends
from seedcorn.core.ledger.course import AlarmNote, DecisionNote
from seedcorn.core.ledger.document import LedgerDocument
from seedcorn.core.ledger.measures import headline_trend

_MISSING = {
    "outcomes": "No batch has been committed yet, so no sample has an outcome.",
    "cost": "No engine time was recorded, so there is no yield per engine-hour.",
    "novelty": (
        f"The novel share of documents ({RHO}) was not measured in any generation: the recipe's "
        "ledger.companions asks for it."
    ),
    "companions": "No companion of U was measured in any generation.",
    "scores": "No forecast has been compared with its batch yet, so how often they are right is "
    "unknown.",
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


def no_growth(document: LedgerDocument) -> Text:
    """Why there is no curve."""
    rows = document["generations"]
    why = rows[0]["unknown"] if rows else "no generation has started"
    return Text(f"There is no curve: {why or 'nothing was counted yet'}.", missing=True)


def trend(document: LedgerDocument) -> Text:
    """What the next generation should add, or why nobody can say."""
    coming, why = headline_trend(document["forecast"]), document["forecast"]["trend_unknown"]
    if coming is not None:
        return Text(f"The next generation should add {with_ends(coming)} unique tokens.")
    return Text(f"What the next generation adds is unknown: {why}.", missing=True)


def marks_of(document: LedgerDocument) -> list[Mark]:
    """All of them in the order in which they came; decisions of a batch follow its alarms."""
    found = [
        (row["generation"], one["batch"], False, *_alarm(one))
        for row in document["generations"]
        for one in row["alarms"]
    ]
    found += [
        (row["generation"], one["batch"], True, *_decision(one))
        for row in document["generations"]
        for one in row["decisions"]
    ]
    marks, counts = [], {True: 0, False: 0}
    for generation, batch, decided, title, text in sorted(found, key=lambda mark: mark[:3]):
        counts[decided] += 1
        tag = f"{'D' if decided else 'A'}{counts[decided]}"
        marks.append(Mark(tag, not decided, generation, batch, title, text))
    return marks


def _alarm(one: AlarmNote) -> tuple[str, str]:
    where = f" in {one['stratum']}" if one["stratum"] else ""
    title = f"{_words(one['name'])}{where}: {number(one['value'])}, usually {number(one['usual'])}"
    return title, one["text"]


def _decision(one: DecisionNote) -> tuple[str, str]:
    title = ACTIONS.get(one["action"], _words(one["action"]))
    items = sorted(one["value"].items())
    pairs = [_pair(key, item) for key, item in items if item not in ("", None)]
    return f"{title}: {', '.join(pairs)}" if pairs else title, one["reason"]


def _words(name: str) -> str:
    return name.replace("_", " ")


def _pair(key: str, item: Any) -> str:
    return _value(item) if key == "stratum" else f"{_words(key)} {_value(item)}"


def _value(item: Any) -> str:
    if isinstance(item, bool) or not isinstance(item, int | float):
        return str(item)
    return number(item)
