"""Compiles the kernels once, before runs of tests side by side would each do it: `python -m tests.kernels`.

A tiny corpus is grown without Ray and proved from its texts, which calls nearly all of them.
"""

import sys
import tempfile
from pathlib import Path

from seedcorn.cli import main

RECIPE = Path(__file__).parents[1] / "pipelines" / "simulated.yaml"
SMALL = (
    "samples=48",
    "generations=1",
    "units.unit=8",
    "units.batch=2",
    "ledger.companions=20",
    "engine.simulated.concurrency=4",
)


def compiled() -> int:
    """The exit code of growing and proving."""
    with tempfile.TemporaryDirectory() as folder:
        words = [str(RECIPE), f"corpus={folder}/corpus", "run.ray_address=none", *SMALL]
        return main(["grow", "--quiet", *words]) or main(["verify", f"{folder}/corpus", "--deep"])


if __name__ == "__main__":
    sys.exit(compiled())
