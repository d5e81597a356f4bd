"""The blocks that a section of the report is made of, besides charts, tables and pairs.

Every block has a `kind`, by which the template knows how to show it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seedcorn.commands.report.marks import Mark


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
