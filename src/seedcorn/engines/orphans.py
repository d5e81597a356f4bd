"""No engine process outlives the one that started it.

vLLM's core waits for requests for ever when its parent is killed, and holds the GPU's memory. Ray
cleans up behind a worker that dies, but not when the node's own raylet is killed.
"""

import os
import subprocess

WAIT_THEN_KILL = 'while read -r _; do :; done; kill -s KILL -- "-$1" 2>/dev/null'
"""For a shell: until nobody can write to its input any more, then the process group."""


def guard() -> subprocess.Popen[bytes] | None:
    """Start a process that, once this one is gone however it ended, kills what is left of its
    process group. None where this process leads no group: its group holds more than its children.

    The guard lies outside of the group, and knows of this process' end by the pipe between them,
    which no child inherits. Keep what is returned: its end closes the pipe as well.
    """
    group = os.getpgid(0)
    if group != os.getpid():
        return None
    return subprocess.Popen(
        ["/bin/sh", "-c", WAIT_THEN_KILL, "seedcorn-guard", str(group)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
