"""Ray's part of `seedcorn doctor`: does the cluster ask for a token, and who can read ours?

A Ray cluster that asks for none runs whatever anybody who reaches it sends.
"""

import os
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from seedcorn.storage.conformance.probe import FAILS, OK, WARNING, Finding

PATIENCE_S = 5.0
TOKEN_FILE = Path(".ray") / "auth_token"
"""Below the home folder, unless RAY_AUTH_TOKEN_PATH names another."""
_LOCAL = {"", "local", "auto"}
_REFUSED = (401, 403)
_OPEN = "anyone who can reach it can run code on it"


def ray(variables: Mapping[str, str] | None = None, home: Path | None = None) -> list[Finding]:
    """Authentication, the token's file, and the cluster that RAY_ADDRESS names."""
    given = os.environ if variables is None else variables
    return [
        _mode(given),
        _token(given, home or Path.home()),
        _cluster(given.get("RAY_ADDRESS", "")),
    ]


def _mode(given: Mapping[str, str]) -> Finding:
    name, mode = "Ray asks for a token", given.get("RAY_AUTH_MODE", "")
    advice = "set RAY_AUTH_MODE=token wherever Ray starts"
    if mode == "token":
        return Finding(name, OK)
    if mode:
        return Finding(name, FAILS, f"RAY_AUTH_MODE is {mode!r}: {_OPEN}", advice)
    return Finding(name, WARNING, "RAY_AUTH_MODE is not set: a head may start without one", advice)


def _token(given: Mapping[str, str], home: Path) -> Finding:
    name = "only you can read the token"
    path = Path(given.get("RAY_AUTH_TOKEN_PATH") or home / TOKEN_FILE)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return Finding(name, OK, f"there is no {path}")
    if mode & 0o077:
        return Finding(name, FAILS, f"{path} has mode {mode:o}", f"chmod 600 {path}")
    return Finding(name, OK, str(path))


def _cluster(address: str) -> Finding:
    name = "the cluster at RAY_ADDRESS refuses requests without a token"
    if address in _LOCAL:
        return Finding(name, OK, "no cluster is set: grow starts Ray on this machine")
    if urlsplit(address).username is not None:
        return Finding(name, FAILS, "RAY_ADDRESS holds a user name", "use RAY_AUTH_TOKEN")
    if address.startswith(("http://", "https://")):
        return _asked(name, address)
    return _reached(name, address)


def _asked(name: str, address: str) -> Finding:
    """Lists jobs without a token, which must be refused."""
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/api/jobs/", timeout=PATIENCE_S) as page:
            detail = f"{address} answered {page.status} to a request without a token: {_OPEN}"
            return Finding(name, FAILS, detail, "start the head with RAY_AUTH_MODE=token")
    except urllib.error.HTTPError as error:
        if error.code in _REFUSED:
            return Finding(name, OK, f"{address} answered {error.code}")
        detail = f"{address} answered {error.code}; this is not a Ray dashboard"
        return Finding(name, WARNING, detail, "correct RAY_ADDRESS")
    except OSError as error:
        return _silent(name, address, error)


def _reached(name: str, address: str) -> Finding:
    parts = urlsplit(address if "://" in address else f"ray://{address}")
    try:
        host, port = parts.hostname or "", parts.port or 0
        socket.create_connection((host, port), PATIENCE_S).close()
    except (OSError, ValueError, OverflowError) as error:
        return _silent(name, address, error)
    detail = f"{address} is reachable; only its dashboard can tell whether it asks for a token"
    advice = "run doctor with RAY_ADDRESS=http://HOST:8265"
    return Finding(name, WARNING, detail, advice)


def _silent(name: str, address: str, error: Exception) -> Finding:
    return Finding(
        name, FAILS, f"{address} does not answer: {error}", "start the head, or correct RAY_ADDRESS"
    )
