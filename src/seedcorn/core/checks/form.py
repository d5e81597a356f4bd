"""The checks of form: finish reason, length, repetition, copying, script, expressions.

Settings are checked when a check is made: a bad one raises ValueError starting with its name.
"""

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from seedcorn.core.checks.scripts import SCRIPTS, script_share
from seedcorn.core.checks.verdict import Subject

_FINISHES = ("stop", "length", "repetition")


@dataclass(frozen=True)
class FinishReason:
    """The engine must have stopped for an allowed reason: stop, length or repetition."""

    code: ClassVar[str] = "finish_reason"
    verifies: ClassVar[bool] = False
    allow: tuple[str, ...] = ("stop",)

    def __post_init__(self) -> None:
        _require_known("allow", self.allow, _FINISHES)

    def problem(self, subject: Subject) -> str | None:
        """Name the reason where it is not allowed."""
        found = subject.completion.finish_reason
        return None if found in self.allow else f"{found}, allowed: {', '.join(self.allow)}"


@dataclass(frozen=True)
class Length:
    """Bounds in words (as dedup counts them) and characters; 0 sets no upper bound."""

    code: ClassVar[str] = "length"
    verifies: ClassVar[bool] = False
    min_words: int = 0
    max_words: int = 0
    min_chars: int = 0
    max_chars: int = 0

    def __post_init__(self) -> None:
        for quantity in ("words", "chars"):
            low, high = getattr(self, f"min_{quantity}"), getattr(self, f"max_{quantity}")
            if 0 < high < low:
                raise ValueError(f"max_{quantity}: {high} is less than min_{quantity} {low}")

    def problem(self, subject: Subject) -> str | None:
        """Compare both counts with their bounds."""
        words, chars = subject.word_count, len(subject.answer)
        if words < self.min_words or 0 < self.max_words < words:
            return f"{words} words, allowed: {self.min_words} to {self.max_words or 'any'}"
        if chars < self.min_chars or 0 < self.max_chars < chars:
            return f"{chars} characters, allowed: {self.min_chars} to {self.max_chars or 'any'}"
        return None


@dataclass(frozen=True)
class Repetition:
    """No loops: shares of lines, and of `ngram`-word sequences, that have occurred before."""

    code: ClassVar[str] = "repetition"
    verifies: ClassVar[bool] = False
    max_line_share: float = 0.3
    max_ngram_share: float = 0.3
    ngram: int = 4

    def __post_init__(self) -> None:
        _require_positive("ngram", self.ngram)

    def problem(self, subject: Subject) -> str | None:
        """Compare both shares with their bounds."""
        if "\n" in subject.answer:
            lines = [line.strip() for line in subject.answer.splitlines() if line.strip()]
            share = 1 - len(set(lines)) / len(lines)
            if share > self.max_line_share:
                return f"{share:.2f} of lines repeat, allowed: {self.max_line_share:g}"
        total = max(1, len(subject.words) - self.ngram + 1)
        share = 1 - len(_ngrams(subject.words, self.ngram)) / total
        if share > self.max_ngram_share:
            sequences = f"{self.ngram}-word sequences"
            return f"{share:.2f} of {sequences} repeat, allowed: {self.max_ngram_share:g}"
        return None


@dataclass(frozen=True)
class CopyOfParent:
    """At most `max_overlap` of the answer's `shingle`-word sequences occur in any one parent."""

    code: ClassVar[str] = "copy_of_parent"
    verifies: ClassVar[bool] = False
    max_overlap: float = 0.6
    shingle: int = 8

    def __post_init__(self) -> None:
        _require_positive("shingle", self.shingle)

    def problem(self, subject: Subject) -> str | None:
        """Name the parent and the share of the answer that it explains."""
        if not subject.words:
            return None
        size = min(self.shingle, len(subject.words))
        for number, parent in enumerate(subject.parents):
            words = subject.words_of(parent)
            # No run of `size` words that all occur in the parent: nothing shared, at a tenth of
            # the cost, and the usual case.
            if b"\x01" * size not in bytes(map(set(words).__contains__, subject.words)):
                continue
            own = _ngrams(subject.words, size)
            shared = own & _ngrams(words, size)
            if len(shared) > self.max_overlap * len(own):
                share = f"{len(shared) / len(own):.2f} of {size}-word sequences"
                return f"{share} are in parent {number}, allowed: {self.max_overlap:g}"
        return None


@dataclass(frozen=True)
class Script:
    """At least `min_share` of the letters belong to an allowed script."""

    code: ClassVar[str] = "script"
    verifies: ClassVar[bool] = False
    allow: tuple[str, ...] = ("latin",)
    min_share: float = 0.8

    def __post_init__(self) -> None:
        _require_known("allow", self.allow, tuple(SCRIPTS))

    def problem(self, subject: Subject) -> str | None:
        """Compare the share of letters with the bound; a text without letters has share 0."""
        share = script_share(subject.answer, self.allow)
        if share >= self.min_share:
            return None
        return f"{share:.2f} of letters are {'/'.join(self.allow)}, needed: {self.min_share:g}"


@dataclass(frozen=True)
class Regex:
    """Expressions that must, and expressions that must not, be found somewhere in the answer."""

    code: ClassVar[str] = "regex"
    verifies: ClassVar[bool] = False
    must: tuple[re.Pattern[str], ...] = ()
    must_not: tuple[re.Pattern[str], ...] = ()

    def problem(self, subject: Subject) -> str | None:
        """Name the first expression that decides."""
        for pattern in self.must:
            if pattern.search(subject.answer) is None:
                return f"nothing matches {pattern.pattern!r}"
        for pattern in self.must_not:
            if found := pattern.search(subject.answer):
                return f"{pattern.pattern!r} matches at character {found.start()}"
        return None


def _ngrams(words: Sequence[Hashable], size: int) -> set[tuple[Hashable, ...]]:
    """The distinct sequences of `size` words; the whole text where it is no longer than that."""
    if len(words) <= size:
        return {tuple(words)}
    return set(zip(*(words[start:] for start in range(size)), strict=False))


def _require_known(setting: str, values: Sequence[str], known: Sequence[str]) -> None:
    unknown = [value for value in values if value not in known]
    if unknown or not values:
        found = repr(unknown[0]) if unknown else "an empty list"
        raise ValueError(f"{setting}: {found} is not among {', '.join(known)}")


def _require_positive(setting: str, value: int) -> None:
    if value < 1:
        raise ValueError(f"{setting}: needs a whole number of at least 1, got {value}")
