"""Finding and killing actor processes of the test's own Ray cluster, by pid."""

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_S = 0.05


def descendants(root: int) -> list[int]:
    """Pids of all processes below `root`."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(folder.name))
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def actors(name: str) -> list[int]:
    """Pids of live Ray actors of class `name` that this process' cluster runs."""
    pids = []
    for pid in descendants(os.getpid()):
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if title.startswith(f"ray::{name}".encode()):
            pids.append(pid)
    return sorted(pids)


def kill(pid: int) -> None:
    """SIGKILL, if it still lives."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@contextmanager
def killing(name: str, moments: list[Callable[[], bool]], choose: random.Random) -> Iterator[list]:
    """While the body runs, kill one actor of class `name` at each moment; yields the kills."""
    killed: list[int] = []
    over = threading.Event()

    def campaign() -> None:
        for moment in moments:
            while not over.is_set() and not (moment() and actors(name)):
                over.wait(POLL_S)
            if not over.is_set():
                victim = choose.choice(actors(name))
                kill(victim)
                killed.append(victim)

    thread = threading.Thread(target=campaign, daemon=True)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join(timeout=10)


def objects_at_least(folder: Path, count: int) -> Callable[[], bool]:
    """True once so many files lie below `folder`."""

    def reached() -> bool:
        return sum(1 for path in folder.rglob("*") if path.is_file()) >= count

    return reached
