"""The check on refusals: an answer that turns the request down instead of answering it.

What a refusal looks like was learnt from English answers; those in other languages pass unseen,
unless a recipe adds expressions of its own. `tests.bench.refusals` prints how many of two lists
the check finds and how many it takes for one by mistake.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from seedcorn.core.checks.refusal_phrases import (
    ATTEMPT,
    EVIDENCE,
    HINTS,
    LEADS,
    LIVED,
    REFUSES,
    SAYS,
    SORRY,
    START,
)
from seedcorn.core.checks.verdict import Subject

SENTENCES = 2
"""A refusal begins in one of so many first sentences."""
_ANYWHERE = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|afraid|unable to|not able to)"
    r"|i (?:can(?:no|')t|won't|will not|could not) (?:\w+ )?"
    r"(?:help|assist|comply|fulfil|provide|create|write|answer|do|continue|generate|engage)\b"
    r"|i apologi[sz]e,? but"
    r"|as an? (?:ai|artificial intelligence|(?:large )?language model)\b"
    r"|i(?:'m| am) (?:just |only )?an? (?:ai|(?:large )?language model)\b"
    r"|(?:is|goes) against (?:my|our|the) (?:policy|policies|guidelines))",
    re.IGNORECASE,
)
_STRAIGHT = str.maketrans({"\u2018": "'", "\u201c": '"', "\u201d": '"'})
_SENTENCE_END = re.compile(r"[.!?](?=\s)")
_REST = re.compile(r"[^.!?\n]*")
_QUOTES = ("'", '"')


@dataclass(frozen=True)
class RefusalAnywhere:
    """Rule 1: no phrase of a refusal anywhere among the first `window` characters."""

    code: ClassVar[str] = "refusal"
    verifies: ClassVar[bool] = False
    window: int = 200
    also: tuple[re.Pattern[str], ...] = ()

    def problem(self, subject: Subject) -> str | None:
        """Quote the phrase that refuses."""
        opening = _opening(subject, self.window)
        return _quoted(pattern.search(opening) for pattern in (_ANYWHERE, *self.also))


@dataclass(frozen=True)
class Refusal:
    """The answer does not open, within its first `window` characters, by turning the request down
    in English; `also` adds expressions of your own, found anywhere in that window."""

    code: ClassVar[str] = "refusal"
    verifies: ClassVar[bool] = False
    window: int = 200
    also: tuple[re.Pattern[str], ...] = ()

    def problem(self, subject: Subject) -> str | None:
        """Quote the phrase that refuses."""
        opening = _opening(subject, self.window)
        own = (pattern.search(opening) for pattern in self.also)
        return _quoted((refusal_in(opening.translate(_STRAIGHT), len(subject.answer)), *own))


def _opening(subject: Subject, window: int) -> str:
    return subject.answer[:window].replace("\u2019", "'")


def _quoted(finds: Iterable[re.Match[str] | None]) -> str | None:
    """The first that was found, and where."""
    found = next(filter(None, finds), None)
    return None if found is None else f"{found[0]!r} at character {found.start()}"


def refusal_in(opening: str, length: int) -> re.Match[str] | None:
    """Where an opening, straight quotes in it, begins to turn the request down. `length` is that of
    the whole answer.

    What does so stands in the first sentences, speaks of the request in the first person, and is nobody's
    direct speech.
    """
    lower = opening.lower()
    if not any(hint in lower for hint in HINTS):
        return None
    begin = START.match(opening)
    at = begin.end() if begin is not None else 0
    if _is_speech(opening, at, length):
        return None
    found = REFUSES.search(opening, at) or _attempt(opening, at)
    if found is None or not _opens(opening[at : found.start()]) or SAYS.search(opening, at):
        return None
    return SORRY.match(opening, at) or found


def _opens(before: str) -> bool:
    return '"' not in before and len(_SENTENCE_END.findall(before)) < SENTENCES


def _attempt(opening: str, at: int) -> re.Match[str] | None:
    """What the speaker does not do, where enough shows that it was asked for."""
    for found in ATTEMPT.finditer(opening, at):
        rest = _REST.match(opening, found.start("verb"))
        sentence = rest[0] if rest is not None else ""
        shown = sum(weight for pattern, weight in EVIDENCE if pattern.search(sentence))
        shown += LEADS.search(opening, at, found.start()) is not None
        if shown >= (1 if found["work"] else 2) and not LIVED.search(sentence):
            return found
    return None


def _is_speech(opening: str, at: int, length: int) -> bool:
    """Whether it begins with a quotation that ends before the answer does."""
    quoted = opening[:at].strip()[-1:]
    if quoted not in _QUOTES:
        return False
    whole = len(opening) == length and opening.rstrip()[-1:] == quoted
    return not (whole and (quoted == "'" or opening.count(quoted) == 2))
