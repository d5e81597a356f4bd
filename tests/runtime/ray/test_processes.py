"""Finding processes: two sessions of tests at once must never stop or kill each other's."""

import shutil
import subprocess
import sys

from tests.runtime.processes import actors, ends, kill, titled

SESSION = """
import subprocess, sys
actor = subprocess.Popen(["ray::Probe", "600"], executable=sys.argv[1])
print(actor.pid, flush=True)
actor.wait()
"""


def test_actors_are_those_below_one_process_and_none_of_another_session() -> None:
    command = [sys.executable, "-c", SESSION, str(shutil.which("sleep"))]
    sessions = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    pids = [int(session.stdout.readline()) for session in sessions if session.stdout]
    try:
        found = [titled("ray::Probe", session.pid) for session in sessions]
        assert found == [[pid] for pid in pids]
        assert actors("Probe") == sorted(pids)
    finally:
        for pid, session in zip(pids, sessions, strict=True):
            kill(pid)
            session.communicate()
    assert all(ends(pid) for pid in pids)
    assert actors("Probe") == []
