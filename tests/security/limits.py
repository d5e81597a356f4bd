"""Runs Python in a process of its own whose memory and processor time end where a test says."""

import resource
import subprocess
import sys
from dataclasses import dataclass

MIB = 1 << 20
CPU_S = 100
"""A hang ends here; tests never measure time."""
_EPILOGUE = """
print("\\npeak", next(line.split()[1] for line in open("/proc/self/status") if "VmHWM" in line))
"""
"""Not `ru_maxrss`, which a forked child inherits from its parent."""


@dataclass(frozen=True)
class Limited:
    """What the process printed, and the most memory it had, in MiB."""

    output: str
    peak: int


def run_limited(program: str, *arguments: str, memory: int = 4096) -> Limited:
    """Run `program` with at most `memory` MiB of address space; fails the test where it fails."""

    def confine() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory * MIB, memory * MIB))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))

    done = subprocess.run(
        [sys.executable, "-c", program + _EPILOGUE, *arguments],
        capture_output=True,
        text=True,
        preexec_fn=confine,
        check=False,
    )
    assert done.returncode == 0, f"exit {done.returncode}: {done.stderr[-2000:]}"
    output, _, peak = done.stdout.rpartition("\npeak ")
    return Limited(output, int(peak) // 1024)
