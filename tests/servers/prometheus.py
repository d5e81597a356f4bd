"""Prometheus on loopback, from the Debian package: unpacked into a folder, nothing is installed.

Needs no root. The server dies with its parent process and is ended by its pid.
"""

import ctypes
import json
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FETCH_WITHIN_S = 120.0
READY_WITHIN_S = 30.0
PR_SET_PDEATHSIG = 1


class PrometheusMissing(Exception):
    """There is no Prometheus here and none can be fetched."""


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str
    pid: int

    def query(self, text: str) -> list[dict[str, Any]]:
        """An instant query's series; AssertionError with Prometheus' own words for a bad one."""
        asked = urllib.parse.urlencode({"query": text})
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?{asked}", timeout=10) as reply:
                return json.load(reply)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{text}: {error.read().decode()}") from error


@contextmanager
def prometheus(folder: Path, targets: Sequence[str]) -> Iterator[Prometheus]:
    """Scrape `targets` (host:port) once a second while the block runs; data lies below `folder`.

    Raises PrometheusMissing.
    """
    binary, port = _binary(folder), _free_port()
    config = folder / "prometheus.json"  # JSON is YAML.
    jobs = [{"job_name": "ray", "static_configs": [{"targets": list(targets)}]}]
    config.write_text(
        json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}), encoding="utf-8"
    )
    command = [
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, preexec_fn=_die_with_parent
        )
    try:
        server = Prometheus(f"http://127.0.0.1:{port}", process.pid)
        _await_ready(process, server, folder / "prometheus.log")
        yield server
    finally:
        process.kill()
        process.wait()


def _await_ready(process: subprocess.Popen[bytes], server: Prometheus, log: Path) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"{server.url}/-/ready", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"Prometheus did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def _binary(folder: Path) -> str:
    found = shutil.which("prometheus")
    return found if found is not None else str(_unpacked(folder))


def _unpacked(folder: Path) -> Path:
    """The binary out of the Debian package, fetched through apt."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise PrometheusMissing("neither a prometheus binary nor apt-get is here")
    root = folder / "package"
    root.mkdir()
    try:
        subprocess.run(
            ["apt-get", "download", "prometheus"],
            cwd=root,
            check=True,
            capture_output=True,
            timeout=FETCH_WITHIN_S,
        )
        (package,) = root.glob("prometheus_*.deb")
        subprocess.run(
            ["dpkg-deb", "--extract", package, root / "unpacked"],
            check=True,
            timeout=FETCH_WITHIN_S,
        )
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise PrometheusMissing(
            f"the Debian package prometheus cannot be fetched: {error}"
        ) from error
    return root / "unpacked" / "usr" / "bin" / "prometheus"


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


_LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
