"""The recipe's checks run again on stored texts, as far as a stored row tells what they saw.

A check that looks at the parents' texts is believed: rows name parents and do not hold them. So is
one whose meaning had another number when the row was judged than any that this code has.
"""

from collections.abc import Mapping, Sequence, Set

from seedcorn.core.checks import CHECKS, EMPTY, Check, Subject
from seedcorn.core.checks.form import CopyOfParent
from seedcorn.core.engine import Completion
from seedcorn.core.recipe import Recipe
from seedcorn.core.text.words import TextRule

CONTAMINATED = "contaminated"
"""Reason of samples that hold evaluation items: found at seal, after all checks passed."""

Grown = tuple[Recipe, Mapping[str, int]]
"""What a generation was grown by: its recipe, and the rules it was started under."""
CheckResult = tuple[str, list[str]]
"""The check that failed (empty: none), and those that passed before it."""


def wrong_verdict(
    checks: Sequence[Check],
    text: str,
    finish_reason: str,
    recorded: tuple[str, str, Sequence[str]],
    trusted: Set[str],
    rule: TextRule,
) -> str:
    """What the checks say against a row's `recorded` (outcome, reason, checks passed); empty: agreed.
    `trusted` are codes of checks whose word is taken, `rule` says what a word is."""
    outcome, reason, passed = recorded
    if outcome == "failed" or (outcome == "rejected" and not _of_checks(reason)):
        return ""  # No text was judged.
    rejected = outcome == "rejected" and reason != CONTAMINATED
    expected: CheckResult = (reason if rejected else "", list(passed))
    subject = Subject(text, Completion(text, 0, 0, finish_reason), (), rule)
    failed, passed_checks = checked(checks, subject, expected, trusted)
    if (failed, passed_checks) == expected:
        return ""
    return f"rejected by {failed} after {passed_checks}" if failed else f"passed by {passed_checks}"


def checked(
    checks: Sequence[Check],
    subject: Subject,
    expected: CheckResult,
    trusted: Set[str] = frozenset(),
) -> CheckResult:
    """The first check that fails and those before it; `expected` is what the row says."""
    passed_checks: list[str] = []
    if subject.empty:
        return EMPTY, passed_checks
    for check in checks:
        on_trust = isinstance(check, CopyOfParent) or check.code in trusted
        fails = (
            expected == (check.code, passed_checks)
            if on_trust
            else check.problem(subject) is not None
        )
        if fails:
            return check.code, passed_checks
        passed_checks.append(check.code)
    return "", passed_checks


def _of_checks(reason: str) -> bool:
    return reason in CHECKS or reason in (EMPTY, CONTAMINATED)
