"""The recipe's checks run again on stored texts, as far as a stored row tells what they saw.

A check that looks at the parents' texts is believed: rows name parents and do not hold them. So is
one whose meaning had another number when the row was judged than any that this code has.
"""

from collections.abc import Sequence, Set

from seedcorn.core.checks import CHECKS, EMPTY, Check, Subject
from seedcorn.core.checks.form import CopyOfParent
from seedcorn.core.engine import Completion

CONTAMINATED = "contaminated"
"""Reason of samples that hold evaluation items: found at seal, after all checks passed."""

Judged = tuple[str, list[str]]
"""The check that failed (empty: none), and those that passed before it."""


def wrong_verdict(
    checks: Sequence[Check],
    text: str,
    finish_reason: str,
    said: tuple[str, str, Sequence[str]],
    trusted: Set[str] = frozenset(),
) -> str:
    """What the checks say against a row's `said` (outcome, reason, checks passed); empty: agreed.
    `trusted` are codes of checks whose word is taken."""
    outcome, reason, passed = said
    if outcome == "failed" or (outcome == "rejected" and not _of_checks(reason)):
        return ""  # No text was judged.
    rejected = outcome == "rejected" and reason != CONTAMINATED
    told: Judged = (reason if rejected else "", list(passed))
    subject = Subject(text, Completion(text, 0, 0, finish_reason), ())
    failed, held = judged(checks, subject, told, trusted)
    if (failed, held) == told:
        return ""
    return f"rejected by {failed} after {held}" if failed else f"passed by {held}"


def judged(
    checks: Sequence[Check], subject: Subject, told: Judged, trusted: Set[str] = frozenset()
) -> Judged:
    """The first check that fails and those before it; `told` is what the row says."""
    held: list[str] = []
    if not subject.answer.strip():
        return EMPTY, held
    for check in checks:
        believed = isinstance(check, CopyOfParent) or check.code in trusted
        fails = told == (check.code, held) if believed else check.problem(subject) is not None
        if fails:
            return check.code, held
        held.append(check.code)
    return "", held


def _of_checks(reason: str) -> bool:
    return reason in CHECKS or reason in (EMPTY, CONTAMINATED)
