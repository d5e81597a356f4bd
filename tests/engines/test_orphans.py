"""Engine processes whose parent is killed, for real."""

import os
import select
import subprocess
import sys

from tests.runtime.processes import kill, title_of

PARENT = """
import subprocess, sys
from seedcorn.engines.orphans import guard
assert guard() is not None
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
child.wait()
"""


def test_child_of_a_killed_process_is_killed_as_well() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, start_new_session=True
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    end = os.pidfd_open(child)
    try:
        assert select.select([end], [], [], 0)[0] == []
        kill(parent.pid)
        assert select.select([end], [], [], 60)[0] == [end]
    finally:
        os.close(end)
        kill(child)
        parent.wait()
        parent.stdout.close()
    assert "time.sleep" not in title_of(child)


def test_process_that_leads_no_group_gets_no_guard() -> None:
    asked = "from seedcorn.engines.orphans import guard; print(guard())"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "None"
