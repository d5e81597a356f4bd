"""The contract of a check, and how a row of them becomes one verdict."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

from seedcorn.core.engine import Completion
from seedcorn.core.text.visible import is_empty
from seedcorn.core.text.words import TextRule, hashes_of

EMPTY = "empty"
"""Reason code of an answer without a visible character: always checked, whatever the recipe."""

_SEPARATORS = bytes(
    byte if byte >= 0x80 or chr(byte).isalnum() or byte == ord("_") else 0x20 for byte in range(256)
)
_MARKS = tuple(mark.encode() for mark in "\u2018\u2019\u201c\u201d\u2013\u2014\u2026")
"""Quotes, dashes and the ellipsis that models write all the time."""
_LONGEST_MEAN = 24
"""Bytes a word has on average at most; beyond it the script has no spaces between words."""


def coarse_words(text: str) -> list[bytes]:
    """Lower-cased words as UTF-8; single characters where the script has no spaces.

    What checks count under text rule 1. Coarser than the words of dedup and ledger, and about ten times faster than a regular
    expression: the checks run on the engine's event loop.
    """
    data = text.lower().encode("utf-8", "surrogatepass")
    if len(data) != len(text):
        for mark in _MARKS:
            data = data.replace(mark, b" ")
    words = data.translate(_SEPARATORS).split()
    if len(data) > _LONGEST_MEAN * len(words):
        return [char.encode("utf-8", "surrogatepass") for char in text if char.isalnum()]
    return words


class Subject:
    """An answer under check, with what several checks need computed once."""

    def __init__(
        self, answer: str, completion: Completion, parents: Sequence[str], rule: TextRule
    ) -> None:
        """`rule` says what a word is."""
        self.answer = answer
        self.completion = completion
        self.parents = parents
        self._rule = rule

    @property
    def empty(self) -> bool:
        """Whether the answer has no visible character."""
        if self._rule == TextRule.ONE:
            return not self.answer.strip()
        return is_empty(self.answer)

    @cached_property
    def words(self) -> Sequence[Hashable]:
        """Words of the answer."""
        return self.words_of(self.answer)

    @property
    def word_count(self) -> int:
        """Words of the answer; under text rule 1 what white space sets apart."""
        return len(self.answer.split() if self._rule == TextRule.ONE else self.words)

    def words_of(self, text: str) -> Sequence[Hashable]:
        """Words of any text: equal ones are equal values."""
        if self._rule == TextRule.ONE:
            return coarse_words(text)
        return hashes_of(text, self._rule).tolist()


class Check(Protocol):
    """One check. `verifies` is True only where a trusted checker judges the content."""

    code: ClassVar[str]
    verifies: ClassVar[bool]

    def problem(self, subject: Subject) -> str | None:
        """Why the answer fails, with the numbers it was decided on; None where it passes."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """Codes of the checks that passed, and the first failure; `reason` is empty without one."""

    passed: tuple[str, ...]
    reason: str = ""
    detail: str = ""


async def verify(checks: Sequence[Check], subject: Subject) -> Verdict:
    """Run the checks in the recipe's order; the first failure decides.

    A coroutine although nothing here waits: judges and external checkers will.
    """
    if subject.empty:
        reason = subject.completion.finish_reason
        return Verdict((), EMPTY, f"no text, finish reason {reason}")
    passed: list[str] = []
    for check in checks:
        detail = check.problem(subject)
        if detail is not None:
            return Verdict(tuple(passed), check.code, detail)
        passed.append(check.code)
    return Verdict(tuple(passed))
