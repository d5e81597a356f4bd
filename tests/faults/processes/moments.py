"""The n-th time a process reaches a step on its local disk, seen by the interpreter's audit hook.

The store under test is the real one, unwrapped: the hook fires before each system call, so `after`
is the next call of the same thread: renamed but the folder not flushed, linked but not told.
"""

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.processes.steps import SAVING, step_of


@dataclass(frozen=True)
class Moment:
    """`when` is before or after the operation; `number` counts from 1 within one process."""

    step: str
    number: int
    when: str

    def __str__(self) -> str:
        return f"{self.when} {self.step} {self.number}"


class Watch:
    """Calls `act` once, at a moment."""

    def __init__(self, root: str, moment: Moment, act: Callable[[], None]) -> None:
        self._root, self._moment, self._act = root.rstrip("/") + "/", moment, act
        self._seen, self._after = Counter[str](), threading.local()
        self._over = False

    def hook(self, event: str, arguments: tuple) -> None:
        if self._over:
            return
        if getattr(self._after, "due", False):
            self._fire()
        operation, path = _operation(event, arguments)
        if operation and path.startswith(self._root):
            self._count(step_of(operation, path[len(self._root) :]))

    def _count(self, step: str) -> None:
        self._seen[step] += 1
        if (step, self._seen[step]) == (self._moment.step, self._moment.number):
            if self._moment.when == "before":
                self._fire()
            else:
                self._after.due = True

    def _fire(self) -> None:
        self._over = True
        self._act()


class Trace:
    """Notes every step, or only the first by which something was saved."""

    def __init__(self, root: str, note: Callable[..., None], every: bool) -> None:
        self._root, self._note, self._every = root.rstrip("/") + "/", note, every
        self._saved = False

    def hook(self, event: str, arguments: tuple) -> None:
        operation, path = _operation(event, arguments)
        if not operation or not path.startswith(self._root):
            return
        step = step_of(operation, path[len(self._root) :])
        if step in SAVING and not self._saved:
            self._saved = True
            self._note("durable", time.monotonic())
        if self._every:
            self._note("step", step)


def trace(root: str, note: Callable[..., None], every: bool = False) -> None:
    """Arrange for notes of what reaches the disk below `root`."""
    sys.addaudithook(Trace(root, note, every).hook)


def at(root: str, moment: Moment, act: Callable[[], None]) -> None:
    """Arrange for `act` at the moment; an audit hook stays for the life of the process."""
    sys.addaudithook(Watch(root, moment, act).hook)


def _operation(event: str, arguments: tuple) -> tuple[str, str]:
    """(put | get | delete | list, path), or nothing."""
    if event in ("os.rename", "os.link"):
        return "put", os.fspath(arguments[1])
    if event == "os.remove":
        return "delete", os.fspath(arguments[0])
    if event == "os.scandir":
        return "list", f"{arguments[0]}/"
    if event == "open" and not isinstance(arguments[0], int) and not _writes(arguments[2]):
        return "get", os.fsdecode(arguments[0])
    return "", ""


def _writes(flags: int) -> bool:
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_DIRECTORY))
