"""Room for what a recipe grows, as `seedcorn doctor` finds it: memory for the index, disk for the corpus."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from seedcorn.commands.plan.drafts import Planned
from seedcorn.core.figures import size
from seedcorn.core.preflight import estimate
from seedcorn.core.recipe import Recipe
from seedcorn.storage.conformance.local import inodes, room_of, space
from seedcorn.storage.conformance.probe import FAILS, OK, WARNING, Broken, Doubtful, Finding
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.opening import open_store

_MEMORY = Path("/proc/meminfo")
GPU_S = 10.0
"""What the driver may take to answer."""
_MORE = "use a machine with more of it, or grow fewer samples"


def room(plan: Planned) -> list[Finding]:
    """Memory and disk against what `plan` estimates."""
    return [_memory(plan, available_memory()), *_disk(plan.recipe)]


def available_memory(meminfo: Path = _MEMORY) -> int:
    """Bytes that this machine can still give; 0 where it does not tell."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    found = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((int(words[1]) * 1024 for words in found), 0)


def gpu_memory() -> int:
    """Bytes of the smallest GPU of this machine; 0 where there is none, or it does not tell."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0
    command = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=GPU_S, check=True)
        return min(int(line) for line in told.stdout.split()) << 20
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0


def _memory(plan: Planned, available: int) -> Finding:
    name = "the dedup index fits in memory"
    recipe = plan.recipe
    documents = plan.indexed_rows + recipe.samples * recipe.generations
    wanted = estimate.indexing(documents).peak
    text = f"at most {size(wanted)} for {documents:,} documents, {size(available)} available here"
    if available and wanted > available:
        return Finding(
            name,
            WARNING,
            text,
            f"{_MORE}; on a cluster, raise dedup.actors to spread it over nodes",
            "samples",
        )
    return Finding(name, OK, text, key="samples")


def _disk(recipe: Recipe) -> list[Finding]:
    """For a corpus in a folder: what it will take, and whether files can be made at all."""
    if not recipe.corpus:
        return []
    store = open_store(recipe.corpus, recipe.store)
    if not isinstance(store, LocalStore):
        return []
    stored = estimate.storage(recipe)
    wanted, found = stored.shards + stored.sketches, room_of(store.root)
    free = found.f_bavail * found.f_frsize
    text = (
        f"at most {size(wanted)} to be written (every sample as long as max_tokens, "
        f"{estimate.CHARS_PER_TOKEN} characters a token, compressed to {estimate.TEXT_SHARE:.0%}), "
        f"{size(free)} free in {recipe.corpus}"
    )
    level, advice = (OK, "") if wanted <= free else (WARNING, _MORE)
    fits = Finding("the corpus fits on the disk", level, text, advice, "corpus")
    return [
        fits,
        _finding("there is free space", space, found),
        _finding("there are free inodes", inodes, found),
    ]


def _finding(
    name: str, judge: Callable[[os.statvfs_result], str], found: os.statvfs_result
) -> Finding:
    try:
        return Finding(name, OK, judge(found))
    except Doubtful as doubt:
        return Finding(name, WARNING, str(doubt), "free some")
    except Broken as broken:
        return Finding(name, FAILS, str(broken), "free some")
