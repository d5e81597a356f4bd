"""Checks: what a finished sample must satisfy before it is compared with anything.

A check is a frozen value with settings and one pure function; its name is the reason code that is
stored. A new check is one class in `form.py`, listed in `build.CHECKS`, and one test. None of
these verifies content (`verifies` is False): they look at form, so what they pass is *accepted*
and never called *verified*.
"""

from seedcorn.core.checks.build import CHECKS, build
from seedcorn.core.checks.verdict import EMPTY, Check, Subject, Verdict, verify

__all__ = ["CHECKS", "EMPTY", "Check", "Subject", "Verdict", "build", "verify"]
