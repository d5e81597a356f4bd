"""The heartbeat and the wait for one's turn, on a clock that moves only when somebody sleeps."""

import os
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from seedcorn.core.errors import CorpusBusy, StoreError
from seedcorn.core.log.layout import WRITER
from seedcorn.storage.log.writer import Heartbeat, Identity, this_process, wait_for_turn
from seedcorn.storage.stores.memory import MemoryStore


@pytest.fixture
def name(tmp_path: Path) -> str:
    return str(tmp_path)


def elsewhere(nonce: str = "writer-a") -> Identity:
    return Identity(nonce, "another-host", 41, "another boot", "memory:corpus", 1_700_000_000.0)


class Watch:
    """A newcomer's clock; `meanwhile` runs at every sleep."""

    def __init__(self, meanwhile=lambda: None) -> None:
        self.time = 0.0
        self.meanwhile = meanwhile

    def wait(self, name: str, takeover: bool = False) -> float:
        """Seconds on the newcomer's clock until its turn."""
        wait_for_turn(MemoryStore(name), 30.0, takeover, lambda: self.time, self._sleep)
        return self.time

    def _sleep(self, seconds: float) -> None:
        self.time += seconds
        self.meanwhile()


def test_turn_without_a_record_comes_at_once(name: str):
    assert Watch().wait(name) == 0.0


def test_turn_after_a_clean_exit_comes_at_once(name: str):
    heart = Heartbeat(MemoryStore(name), elsewhere(), 1000.0)
    heart.start()
    heart.close()
    assert Watch().wait(name) == 0.0


def test_turn_beside_a_moving_heartbeat_is_refused_by_name(name: str):
    heart = Heartbeat(MemoryStore(name), elsewhere(), 1000.0)
    heart.beat()
    with pytest.raises(CorpusBusy, match=r"another-host, pid 41, since 2023-11-14.*takeover=true"):
        Watch(heart.beat).wait(name)


def test_turn_beside_a_stuck_heartbeat_comes_after_the_lease(name: str):
    Heartbeat(MemoryStore(name), elsewhere(), 1000.0).beat()
    assert Watch().wait(name) == pytest.approx(30.0)


def test_turn_when_the_holder_closes_meanwhile_comes_early(name: str):
    heart = Heartbeat(MemoryStore(name), elsewhere(), 1000.0)
    heart.beat()
    assert Watch(heart.close).wait(name) < 30.0


def test_turn_with_takeover_comes_at_once(name: str):
    Heartbeat(MemoryStore(name), elsewhere(), 1000.0).beat()
    assert Watch().wait(name, takeover=True) == 0.0


def test_turn_after_a_process_that_died_here_comes_at_once(name: str):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    identity = replace(this_process("writer-a", "memory:corpus", 0.0), pid=dead.pid)
    Heartbeat(MemoryStore(name), identity, 1000.0).beat()
    assert Watch().wait(name) == 0.0


@pytest.mark.parametrize("other", [{"boot": "another boot"}, {"host": "another-host"}])
def test_turn_after_a_dead_pid_of_elsewhere_is_watched(name: str, other: dict[str, str]):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    identity = replace(this_process("writer-a", "memory:corpus", 0.0), pid=dead.pid, **other)
    Heartbeat(MemoryStore(name), identity, 1000.0).beat()
    assert Watch().wait(name) == pytest.approx(30.0)


def test_turn_beside_a_living_process_here_is_watched(name: str):
    identity = replace(this_process("writer-a", "memory:corpus", 0.0), pid=os.getppid())
    Heartbeat(MemoryStore(name), identity, 1000.0).beat()
    assert Watch().wait(name) == pytest.approx(30.0)


def test_turn_beside_a_run_of_this_very_process_is_watched_until_it_has_failed(name: str):
    heart = Heartbeat(MemoryStore(name), this_process("writer-a", "memory:corpus", 0.0), 1000.0)
    heart.start()
    assert Watch().wait(name) == pytest.approx(30.0)
    heart.stop()
    assert Watch().wait(name) == 0.0


def test_turn_beside_an_unreadable_record_is_watched(name: str):
    MemoryStore(name).put(WRITER, b"\xff not json")
    assert Watch().wait(name) == pytest.approx(30.0)


def test_heartbeat_thread_refreshes_until_stopped(name: str):
    beats: list[bytes] = []
    enough = threading.Event()

    def count(when: str, operation: str, key: str) -> None:
        if (when, operation) == ("after", "put"):
            beats.append(MemoryStore(name).get(WRITER))
            if len(beats) >= 3:
                enough.set()

    heart = Heartbeat(MemoryStore(name, count), elsewhere(), 0.001)
    heart.start()
    assert enough.wait(20)
    heart.stop()
    assert len(set(beats)) == len(beats)
    last = MemoryStore(name).get(WRITER)
    assert Watch().wait(name) == pytest.approx(30.0)
    assert MemoryStore(name).get(WRITER) == last


def test_heartbeat_that_cannot_be_written_never_disturbs_the_run(name: str):
    broken = [True]

    def refuse(when: str, operation: str, key: str) -> None:
        if broken[0]:
            raise StoreError("disk full")

    heart = Heartbeat(MemoryStore(name, refuse), elsewhere(), 1000.0)
    heart.start()
    heart.beat()
    assert heart.failures == 2
    broken[0] = False
    heart.beat()
    assert heart.failures == 0
    heart.close()


def test_heartbeat_close_leaves_the_record_of_a_successor_alone(name: str):
    old = Heartbeat(MemoryStore(name), elsewhere("writer-a"), 1000.0)
    old.beat()
    Heartbeat(MemoryStore(name), elsewhere("writer-b"), 1000.0).beat()
    old.close()
    assert b"writer-b" in MemoryStore(name).get(WRITER)
    assert Watch().wait(name) == pytest.approx(30.0)
