"""Checks: what a finished sample must satisfy before it is compared with anything.

A check is a frozen value with settings and one pure function; its name is the reason code that is
stored. A new check is one class, listed in `build.CHECKS`, and one test; one that means
something better gets the next number of its rule, and its old meaning stays beside it. The checks of `form.py`
look at form (`verifies` is False): what only they pass is *accepted*. A check that judges content
exactly, such as `arithmetic`, says `verifies`, and what it passes may be called *verified*.
"""

from seedcorn.core.checks.build import CHECKS, MEANINGS, NEWEST, build
from seedcorn.core.checks.verdict import EMPTY, Check, Subject, Verdict, verify

__all__ = [
    "CHECKS",
    "EMPTY",
    "MEANINGS",
    "NEWEST",
    "Check",
    "Subject",
    "Verdict",
    "build",
    "verify",
]
