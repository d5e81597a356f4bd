"""Does a store keep the promises the log is built on? Asked of the store itself, concurrently.

Servers that accept `If-None-Match` and ignore it, or check it and then write, lose commits without
an error. Nothing but trying finds out. Probes live under a prefix of their own and are removed.
"""

from seedcorn.core.errors import StoreUnsafe
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.conformance.creates import creates, race, refuses
from seedcorn.storage.conformance.lists import LISTS
from seedcorn.storage.conformance.objects import OBJECTS, OPTIONAL
from seedcorn.storage.conformance.probe import FAILS, Advance, Broken, Finding, run_checks, swept
from seedcorn.storage.stores.store import Store

ROUNDS = 20
QUICK_RACERS = 4
"""Contended conditional writes are slow on some servers: 1 s with 4 writers, 3 s with 16."""
_CREATING = "put-if-absent"
UNSAFE = (
    "two drivers could both believe they own the log; use another store, or set "
    "store.single_writer=true if nothing else ever writes this corpus"
)
"""What a store without put-if-absent means."""
_OTHERWISE = "use another store: a corpus on this one could lose samples"


def probe(
    store: Store, rounds: int = ROUNDS, advance: Advance = lambda name: None
) -> list[Finding]:
    """Try every operation under a fresh prefix; one finding per promise, none raised."""
    checks = OBJECTS | LISTS | creates(rounds)
    advice = {name: UNSAFE if _creating(name) else _OTHERWISE for name in checks}
    return run_checks(store, checks | OPTIONAL, advice, advance)


def number_of_checks() -> int:
    """How many findings `probe` gives."""
    return len(OBJECTS) + len(OPTIONAL) + len(LISTS) + len(creates(1))


def is_unsafe(findings: list[Finding]) -> bool:
    """Whether put-if-absent is among what failed."""
    return any(_creating(finding.check) and finding.level == FAILS for finding in findings)


def require_safe(store: Store, spec: StoreSpec) -> None:
    """Check put-if-absent before a corpus is created; raises StoreUnsafe with what was seen.

    `spec.single_writer` skips the check: the operator vouches that nothing else ever writes.
    """
    if spec.single_writer:
        return
    sweeping: list[Finding] = []
    try:
        with swept(store, sweeping) as prefix:
            refuses(store, f"{prefix}refuse/")
            race(store, f"{prefix}race/", QUICK_RACERS, rounds=1)
    except Broken as error:
        raise unsafe(store, str(error)) from error


def unsafe(store: Store, seen: str) -> StoreUnsafe:
    """The error for a store that does not keep put-if-absent."""
    return StoreUnsafe(f"{store.uri} does not keep put-if-absent ({seen}), so {UNSAFE}")


def _creating(name: str) -> bool:
    return name.startswith(_CREATING)
