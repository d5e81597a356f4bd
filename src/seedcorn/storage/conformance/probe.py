"""What a check of a store is, and how checks are run: each under a prefix of its own, none raised.

A check is a function of a store and a prefix; it returns what it saw, or raises `Broken` (a promise
that does not hold) or `Doubtful` (something to know about, which breaks no promise of a corpus).
"""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from seedcorn.core.errors import StoreError
from seedcorn.storage.stores.store import Store

OK, WARNING, FAILS = "ok", "warning", "fails"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was tried, how it went (ok | warning | fails), what was seen, what to do."""

    check: str
    level: str
    detail: str = ""
    advice: str = ""
    key: str = ""
    """The key of the recipe that it is about; empty where it is about none."""

    @property
    def ok(self) -> bool:
        """Whether nothing is broken; a warning breaks nothing."""
        return self.level != FAILS


class Broken(Exception):
    """A promise that did not hold; the text says what was seen instead."""


class Doubtful(Exception):
    """Worth knowing; the text says what was seen."""


Check = Callable[[Store, str], str]
Advance = Callable[[str], None]
"""Told the name of every check that is done."""


def run_checks(
    store: Store,
    checks: Mapping[str, Check],
    advice: Mapping[str, str] | None = None,
    advance: Advance = lambda name: None,
) -> list[Finding]:
    """One finding per check, in order; probes are removed afterwards.

    `advice` says, per check, what to do when it fails.
    """
    findings: list[Finding] = []
    with swept(store, findings) as prefix:
        for number, (name, check) in enumerate(checks.items()):
            findings.append(_finding(store, f"{prefix}{number}/", name, check, advice or {}))
            advance(name)
    return findings


def _finding(
    store: Store, prefix: str, name: str, check: Check, advice: Mapping[str, str]
) -> Finding:
    try:
        return Finding(name, OK, check(store, prefix))
    except Doubtful as doubt:
        return Finding(name, WARNING, str(doubt), advice.get(name, ""))
    except (Broken, StoreError) as error:
        return Finding(name, FAILS, str(error), advice.get(name, ""))


@contextmanager
def swept(store: Store, findings: list[Finding]) -> Iterator[str]:
    """A fresh prefix, emptied afterwards; a failure to do so is a finding."""
    prefix = f"probe-{secrets.token_hex(8)}/"
    try:
        yield prefix
    finally:
        try:
            for item in list(store.list(prefix)):
                store.delete(item.key)
        except StoreError as error:
            findings.append(
                Finding(
                    "probes are removed", FAILS, f"{prefix} remains: {error}", f"delete {prefix}"
                )
            )


def expect(holds: bool, otherwise: str) -> None:
    """Raise Broken unless it holds."""
    if not holds:
        raise Broken(otherwise)
