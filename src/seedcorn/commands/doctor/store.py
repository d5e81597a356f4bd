"""The store's part of `seedcorn doctor`: is it there, and does it keep what the log is built on?"""

import secrets
from dataclasses import replace

from seedcorn.commands.views.progress import counting
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.conformance import local as conformance_local
from seedcorn.storage.conformance.conformance import is_unsafe, number_of_checks, probe, unsafe
from seedcorn.storage.conformance.probe import FAILS, WARNING, Check, Finding, run_checks
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.store import Store

SAFE = "this store can hold a corpus"
"""Name of the finding that sums up: what `grow` would say."""


def probed(store: Store, spec: StoreSpec, rounds: int) -> list[Finding]:
    """Every check of the store; raises StoreError where it does not even answer.

    With `spec.single_writer` a store that ignores the condition is a warning: the operator vouches
    that nothing else ever writes there.
    """
    _reach(store)
    # Its own trick for a lone writer must not hide what the store does.
    asked = _without_trick(store, spec)
    checks, advice = _own_checks(asked, spec)
    with counting("checks", number_of_checks() + len(checks)) as advance:
        findings = probe(asked, rounds, lambda name: advance(1))
        findings += run_checks(asked, checks, advice, lambda name: advance(1))
    return _summed_up(asked, findings, spec)


def _reach(store: Store) -> None:
    key = f"probe-{secrets.token_hex(8)}/reached"
    store.put(key, b"x")
    store.delete(key)


def _without_trick(store: Store, spec: StoreSpec) -> Store:
    if not spec.single_writer:
        return store
    from seedcorn.storage.stores.opening import open_store

    return open_store(store.uri, replace(spec, single_writer=False))


def _own_checks(store: Store, spec: StoreSpec) -> tuple[dict[str, Check], dict[str, str]]:
    """What only this kind of store can be asked."""
    from seedcorn.storage.conformance.remote import ADVICE, remote_checks, speed_checks
    from seedcorn.storage.stores.remote import Remote

    if isinstance(store, LocalStore):
        checks = conformance_local.local_checks(store.root)
        return checks | speed_checks(spec), conformance_local.ADVICE | ADVICE
    if "://" in store.uri and Remote(store.uri, spec).is_s3:
        return remote_checks(spec), ADVICE
    return speed_checks(spec), ADVICE


def _summed_up(store: Store, findings: list[Finding], spec: StoreSpec) -> list[Finding]:
    if not is_unsafe(findings):
        return findings
    seen = next(f.detail for f in findings if f.check.startswith("put-if-absent") and not f.ok)
    if not spec.single_writer:
        return [*findings, Finding(SAFE, FAILS, str(unsafe(store, seen)))]
    answers = [
        replace(f, level=WARNING) if f.check.startswith("put-if-absent") and not f.ok else f
        for f in findings
    ]
    vouched = f"put-if-absent is not honoured ({seen}); you vouched for a single writer"
    return [
        *answers,
        Finding(SAFE, WARNING, vouched, "make sure that nothing else ever writes this corpus"),
    ]
