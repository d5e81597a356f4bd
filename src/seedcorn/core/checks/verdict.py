"""The contract of a check, and how a row of them becomes one verdict."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

from seedcorn.core.engine import Completion

EMPTY = "empty"
"""Reason code of an answer without a visible character: always checked, whatever the recipe."""

WORD = re.compile(r"\w+")


class Subject:
    """An answer under check, with what several checks need computed once."""

    def __init__(self, answer: str, completion: Completion, parents: Sequence[str]) -> None:
        self.answer = answer
        self.completion = completion
        self.parents = parents

    @cached_property
    def words(self) -> list[str]:
        r"""Lower-cased `\w+` words."""
        return WORD.findall(self.answer.lower())


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
