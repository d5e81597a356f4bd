"""Finding, killing and stopping processes of the test's own, by pid."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

POLL_S = 0.05
ESTABLISHED = "01"
"""Of a connection, in the kernel's tables."""


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


def title_of(pid: int) -> str:
    """What a process calls itself; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def titled(start: str, root: int | None = None) -> list[int]:
    """Pids below `root` (this process) of live processes whose title begins so."""
    below = descendants(os.getpid() if root is None else root)
    return sorted(pid for pid in below if title_of(pid).startswith(start))


def actors(name: str) -> list[int]:
    """Pids of live Ray actors of class `name` that this process' cluster runs."""
    return titled(f"ray::{name}")


def owner_of(port: int) -> int | None:
    """Pid of the process below this one that holds the local end, on `port`, of a connection."""
    inode = _inode_of(port)
    for pid in descendants(os.getpid()) if inode else ():
        try:
            held = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
        except OSError:
            continue
        if f"socket:[{inode}]" in held:
            return pid
    return None


def _inode_of(port: int) -> str:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if int(fields[1].rpartition(":")[2], 16) == port and fields[3] == ESTABLISHED:
                return fields[9]
    return ""


def kill(pid: int) -> None:
    """SIGKILL, if it still lives."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def stop(pid: int, going_on: bool = False) -> None:
    """SIGSTOP, or SIGCONT for one that is to go on, if it still lives."""
    try:
        os.kill(pid, signal.SIGCONT if going_on else signal.SIGSTOP)
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


def ends(pid: int, seconds: float = 20) -> bool:
    """Whether a process is gone, or only waits to be reaped, within so many seconds."""
    return _within(seconds, lambda: not title_of(pid))


def group_ends(group: int, seconds: float) -> bool:
    """Whether a process group has no member any more, within so many seconds."""

    def gone() -> bool:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        return False

    return _within(seconds, gone)


def _within(seconds: float, happened: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_S)
    return True


def objects_at_least(folder: Path, count: int) -> Callable[[], bool]:
    """True once so many files lie below `folder`."""

    return lambda: objects_in(folder) >= count


def objects_in(folder: Path) -> int:
    """Files below a folder."""
    return sum(1 for path in folder.rglob("*") if path.is_file())
