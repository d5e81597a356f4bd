"""A sample and its outcome: the one record that travels down the line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a planned sample. `CANDIDATE` exists only between verify and dedup."""

    CANDIDATE = "candidate"
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"
    FAILED = "failed"


OUTCOMES = tuple(outcome.value for outcome in Outcome if outcome is not Outcome.CANDIDATE)
"""Every planned sample ends as exactly one of these (promise P3)."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What the plan decided for one index, before any text is read.

    `parents` are (generation, ordinal) pairs: ordinal counts the rows of the seed (generation 0)
    in catalogue order, or the accepted samples of a generation in commit order.
    """

    index: int
    sample_id: str
    prompt: str
    """Name of the prompt branch, which is also the stratum."""
    axes: Mapping[str, str]
    parents: tuple[tuple[int, int], ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent document as read: `text` is None where the row cannot be used, `problem` says why."""

    id: str
    """`<source>:<row or id>` for a seed document, else the parent's sample id."""
    text: str | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """One planned sample after verify. `reason` is a check's code or an error's type."""

    draw: Draw
    outcome: Outcome
    text: str = ""
    reasoning: str | None = None
    reason: str = ""
    detail: str = ""
    parents: tuple[str, ...] = ()
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = ""
    checks: tuple[str, ...] = ()
    """Codes of the checks it passed."""
    neutralised: int = 0
    """Special tokens defused in its parents."""
    prompt: str | None = field(default=None)
