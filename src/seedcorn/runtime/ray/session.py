"""Connecting to Ray: a cluster that is already there, or a private one on this machine."""

import contextlib
import logging
import os
from collections.abc import Iterator
from math import ceil
from pathlib import Path

import ray

from seedcorn.core.errors import RunStopped
from seedcorn.core.recipe import EngineSpec, RunSpec

OBJECT_STORE_BYTES = 256 << 20
"""Messages are keys and counts; texts never travel through Ray's object store."""


@contextlib.contextmanager
def ray_session(run: RunSpec, engine: EngineSpec) -> Iterator[None]:
    """Connected inside the `with`. A session that exists already is used and left alone."""
    if ray.is_initialized():
        yield
        return
    address = run.ray_address or os.environ.get("RAY_ADDRESS", "")
    try:
        if address:
            ray.init(address=address, logging_level=logging.WARNING, log_to_driver=False)
        else:
            start_local(engine)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = address or "this machine"
        raise RunStopped(f"cannot reach Ray at {where}: {error}") from error
    try:
        if not address:
            require_room(engine)
        yield
    finally:
        ray.shutdown()


def require_room(spec: EngineSpec) -> None:
    """A private Ray never grows: without the GPUs its workers would wait for ever."""
    if spec.node_labels:
        raise RunStopped(
            "engine.node_labels: a private Ray on this machine has none; leave them out, or name a "
            "cluster (run.ray_address)"
        )
    each, count = spec.gpus_per_worker * spec.devices, spec.least_workers
    available = ray.cluster_resources().get("GPU", 0.0)
    if each * count > available:
        who = "1 worker needs" if count == 1 else f"{count} workers need"
        raise RunStopped(
            f"engine.gpus_per_worker: {who} {each * count:g} GPUs, Ray finds only {available:g} on this "
            "machine; set engine.gpus_per_worker=0 to run on the CPU, use fewer workers, or name "
            "a cluster (run.ray_address)"
        )


def start_local(spec: EngineSpec) -> None:
    """A private cluster on this machine, with as many logical CPUs as the workers ask for."""
    wanted = ceil(spec.least_workers * spec.cpus_per_worker)
    keep_token_private(Path.home() / ".ray")
    ray.init(
        address="local",
        num_cpus=max(os.cpu_count() or 1, wanted),
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        # Ray's default of 15 starves engines beside anything else on the machine.
        _system_config={"worker_niceness": 0},
    )
    keep_token_private(Path.home() / ".ray")


def keep_token_private(folder: Path) -> None:
    """Ray writes its authentication token readable for everybody: close the folder, then the file.

    Who reads the token may run code as this user. What belongs to somebody else is left alone.
    """
    with contextlib.suppress(PermissionError):
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        token = folder / "auth_token"
        if token.is_file():
            token.chmod(0o600)
