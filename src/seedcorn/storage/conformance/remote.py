"""What can be asked of a server alone: its clock, whether it checks what it received, its speed."""

import base64
import hashlib
import secrets
import statistics
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from seedcorn.core.errors import StoreError
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.conformance.probe import Broken, Check, Doubtful, expect
from seedcorn.storage.stores.remote import Remote
from seedcorn.storage.stores.store import Store

SKEW_WARNING_S, SKEW_FAILS_S = 60.0, 900.0
"""Signatures of S3 requests are refused from a quarter of an hour on."""
SLOW = 0.1
"""Share of the deadline that a request of one kilobyte may take before it is worth a warning."""
TIMES = 9
ADVICE = {
    "the clocks of server and client agree": "set this machine's clock (NTP): requests are signed "
    "with the time, and refused when it is off by 15 minutes",
    "a wrong checksum is refused": "nothing is lost: seedcorn compares sha256 whenever it reads; "
    "damage in transit is only found later",
    "requests are answered well within the deadline": "raise store.deadline_s, or use a nearer "
    "store",
}


def remote_checks(spec: StoreSpec, clock: Callable[[], float] = time.time) -> dict[str, Check]:
    """Checks of an S3 store. `clock` gives Unix seconds."""
    return {
        "the clocks of server and client agree": lambda store, prefix: _clock(
            Remote(store.uri, spec), store, prefix, clock
        ),
        "a wrong checksum is refused": lambda store, prefix: _checksum(
            Remote(store.uri, spec), prefix
        ),
    } | speed_checks(spec)


def speed_checks(spec: StoreSpec) -> dict[str, Check]:
    """Checks of any store: how long requests take."""
    return {
        "requests are answered well within the deadline": lambda store, prefix: _speed(
            store, prefix, spec.deadline_s
        )
    }


def skew(seconds: float) -> str:
    """How far apart two clocks are, in words; raises Doubtful, or Broken where it stops work."""
    text = f"the server is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
    if abs(seconds) > SKEW_FAILS_S:
        raise Broken(text)
    if abs(seconds) > SKEW_WARNING_S:
        raise Doubtful(text)
    return f"{abs(seconds):.1f} s apart"


def _clock(remote: Remote, store: Store, prefix: str, clock: Callable[[], float]) -> str:
    store.put(f"{prefix}now", b"x")
    before = clock()
    answer = remote.request("head_object", f"{prefix}now")
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    if not date:
        raise Doubtful("the server sends no time")
    try:
        server_time = parsedate_to_datetime(date).timestamp()
    except ValueError as error:
        raise Doubtful(f"the server sends a time that cannot be read: {date!r}") from error
    # Told in whole seconds, somewhere between question and answer.
    return skew(server_time + 0.5 - (before + clock()) / 2)


def _checksum(remote: Remote, prefix: str) -> str:
    wrong = base64.b64encode(hashlib.sha256(b"other bytes").digest()).decode()
    key = f"{prefix}checked"
    try:
        remote.request("put_object", key, Body=b"these bytes", ChecksumSHA256=wrong)
    except StoreError as error:
        return f"refused: {str(error)[-60:]}"
    raise Doubtful("the server accepted an object whose bytes do not have the sha256 sent with it")


def _speed(store: Store, prefix: str, deadline_s: float) -> str:
    data = secrets.token_bytes(1_000)
    keys = [f"{prefix}{number}" for number in range(TIMES)]
    took = {
        "put": [_timed(lambda key=key: store.put(key, data)) for key in keys],
        "get": [_timed(lambda key=key: store.get(key)) for key in keys],
        "create": [_timed(lambda key=key: store.put_if_absent(f"{key}-new", data)) for key in keys],
        "list": [_timed(lambda: list(store.list(prefix))) for _ in keys],
    }
    text = ", ".join(f"{name} {1e3 * statistics.median(of):.1f} ms" for name, of in took.items())
    worst = max(max(of) for of in took.values())
    expect(worst < deadline_s, f"one request took {worst:.1f} s of {deadline_s:g} ({text})")
    if worst > SLOW * deadline_s:
        raise Doubtful(f"one request took {worst:.1f} s of {deadline_s:g} ({text})")
    return f"medians: {text}"


def _timed(do: Callable[[], object]) -> float:
    begun = time.monotonic()
    do()
    return time.monotonic() - begun
