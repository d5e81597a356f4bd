"""The contract of a check, and how a row of them becomes one verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

from seedcorn.core.engine import Completion

EMPTY = "empty"
"""Reason code of an answer without a visible character: always checked, whatever the recipe."""

_SEPARATORS = bytes(
    byte if byte >= 0x80 or chr(byte).isalnum() or byte == ord("_") else 0x20 for byte in range(256)
)
_MARKS = tuple(mark.encode() for mark in "\u2018\u2019\u201c\u201d\u2013\u2014\u2026")
"""Quotes, dashes and the ellipsis that models write all the time."""
_LONGEST_MEAN = 24
"""Bytes a word has on average at most; beyond it the script has no spaces between words."""


def words_of(text: str) -> list[bytes]:
    """Lower-cased words as UTF-8; single characters where the script has no spaces.

    Coarser than the words of dedup and ledger, and about ten times faster than a regular
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

    def __init__(self, answer: str, completion: Completion, parents: Sequence[str]) -> None:
        self.answer = answer
        self.completion = completion
        self.parents = parents

    @cached_property
    def words(self) -> list[bytes]:
        """Words of the answer, see `words_of`."""
        return words_of(self.answer)


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


async def verify(
    checks: Sequence[Check], answer: str, completion: Completion, parents: Sequence[str]
) -> Verdict:
    """Run the checks in the recipe's order; the first failure decides.

    A coroutine although nothing here waits: judges and external checkers will.
    """
    if not answer.strip():
        return Verdict((), EMPTY, f"no text, finish reason {completion.finish_reason}")
    subject = Subject(answer, completion, parents)
    passed: list[str] = []
    for check in checks:
        detail = check.problem(subject)
        if detail is not None:
            return Verdict(tuple(passed), check.code, detail)
        passed.append(check.code)
    return Verdict(tuple(passed))
