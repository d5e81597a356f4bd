"""A Ray head node of the tests' own, with token auth, and a wire to it that can be cut.

It is a separate process group with its own ports and folder, so that neither the session's cluster
nor anybody else's is touched; it is ended by pid.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.runtime.processes import descendants, kill

TOKEN = "f00dfeed" * 4
START_S, STOP_S = 60.0, 20.0
PORTS = ("dashboard-port", "dashboard-agent-listen-port", "dashboard-agent-grpc-port")
MORE_PORTS = ("port", "runtime-env-agent-port", "metrics-export-port", "ray-client-server-port")
NEVER = ("RAY_", "AWS_", "PYTEST_")


@dataclass(frozen=True)
class RayHead:
    """A running head node."""

    address: str
    environment: dict[str, str]
    """For a client that may use it."""


@contextmanager
def ray_head(home: Path) -> Iterator[RayHead]:
    """Started with `ray start --head`; `home` is the clients' home folder."""
    folder = Path(tempfile.mkdtemp(prefix="rh-", dir="/tmp"))  # Socket paths must be short.
    ports = dict(zip((*PORTS, *MORE_PORTS), free_ports(7), strict=True))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(NEVER)}
    environment |= {"HOME": str(home), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN}
    head = subprocess.Popen(
        command(folder, ports),
        env=environment | {"RAY_worker_niceness": "0", "RAY_JOB_STOP_WAIT_TIME_S": "60"},
        cwd=folder,
        stdout=(folder / "head.log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        address = f"http://127.0.0.1:{ports['dashboard-port']}"
        await_answer(f"{address}/api/version", head, folder)
        agent = f"http://127.0.0.1:{ports['dashboard-agent-listen-port']}"
        await_answer(f"{agent}/api/job_agent/jobs/none/logs", head, folder)
        del environment["RAY_AUTH_MODE"]
        yield RayHead(address, environment)
    finally:
        end(head)
        shutil.rmtree(folder, ignore_errors=True)


def command(folder: Path, ports: dict[str, int]) -> list[str]:
    """`ray start` on loopback, with every port chosen."""
    lowest = 20_000 + os.getpid() % 100 * 100
    return [
        *(str(Path(sys.executable).parent / "ray"), "start", "--head", "--block"),
        "--node-ip-address=127.0.0.1",
        *("--include-dashboard=true", "--dashboard-host=127.0.0.1", "--disable-usage-stats"),
        *(f"--{name}={port}" for name, port in ports.items()),
        *(f"--min-worker-port={lowest}", f"--max-worker-port={lowest + 99}"),
        *(f"--temp-dir={folder / 'ray'}", "--num-cpus=4", f"--object-store-memory={128 << 20}"),
    ]


def await_answer(url: str, head: subprocess.Popen, folder: Path) -> None:
    """Until the server behind a URL asks for a token."""
    until = time.monotonic() + START_S
    while time.monotonic() < until and head.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=2)
        except urllib.error.HTTPError as error:
            if error.code == 401:  # It asks for a token, as it must.
                return
            raise
        except OSError:
            time.sleep(0.2)
    said = (folder / "head.log").read_text()[-3000:]
    raise AssertionError(f"nobody asks for a token at {url} after {START_S:g} s; Ray says:\n{said}")


def end(head: subprocess.Popen) -> None:
    """SIGTERM, which ends all of Ray's processes; what is left of them after that is killed."""
    family = [head.pid, *descendants(head.pid)]
    head.terminate()
    with suppress(subprocess.TimeoutExpired):
        head.wait(STOP_S)
    for pid in family:
        if is_ray(pid):
            kill(pid)
    head.wait(STOP_S)


def is_ray(pid: int) -> bool:
    """Whether the process with a remembered pid is still one of Ray's."""
    try:
        return b"ray" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def free_ports(count: int) -> list[int]:
    """So many ports that nobody listens on, below the ephemeral range: one of those may become
    somebody's outgoing port in the seconds until the process that is to listen on it has started."""
    found: list[int] = []
    for port in range(30_000 + os.getpid() % 20 * 100, 32_700):
        with closing(socket.socket()) as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
        if len(found) == count:
            return found
    raise AssertionError(f"no {count} free ports from 30000 to 32700")


class Wire:
    """Forwards connections to a port on this machine; `cut` breaks those that are open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.sent = bytearray()
        """What went to the port, in the order in which it came."""
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.getsockname()[1]}"

    def cut(self) -> int:
        """Returns how many ends were open."""
        broken, self._open = self._open, []
        for end_ in broken:
            with suppress(OSError):
                end_.shutdown(socket.SHUT_RDWR)
            end_.close()
        return len(broken)

    def close(self) -> None:
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                self._open += [near, far]
                for way in ((near, far, self.sent), (far, near, bytearray())):
                    threading.Thread(target=_pump, args=way, daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, seen: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            seen += data
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
