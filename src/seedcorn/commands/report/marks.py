"""Alarms and decisions: one list for the page, with the tags that mark them in the curve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seedcorn.commands.report.words import Document, number

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
