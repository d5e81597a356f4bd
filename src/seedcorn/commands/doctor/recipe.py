"""A recipe's part of `seedcorn doctor`: room for what it grows, and an engine that writes."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from seedcorn.commands.plan.drafts import Planned, planned, written
from seedcorn.core.engine import Completion, Engine, EngineInfo, Request
from seedcorn.core.errors import EngineError
from seedcorn.core.figures import size
from seedcorn.core.preflight import estimate
from seedcorn.core.recipe import LoadedRecipe, Recipe
from seedcorn.engines.opening import open_engine
from seedcorn.storage.conformance.local import inodes, room_of, space
from seedcorn.storage.conformance.probe import FAILS, OK, WARNING, Broken, Doubtful, Finding
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.stores.opening import open_store

START_S = 900.0
"""An engine that takes longer to start and write one sample hangs."""
_MEMORY = Path("/proc/meminfo")
_MORE = "use a machine with more of it, or grow fewer samples"


def room(loaded: LoadedRecipe) -> list[Finding]:
    """Memory and disk against what `plan` estimates; raises RecipeError and SeedError as grow."""
    plan = planned(loaded, 0)
    return [_memory(plan, available_memory()), *_disk(loaded.recipe)]


def available_memory(meminfo: Path = _MEMORY) -> int:
    """Bytes that this machine can still give; 0 where it does not tell."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    found = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((int(words[1]) * 1024 for words in found), 0)


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
        )
    return Finding(name, OK, text)


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
    text = f"at most {size(wanted)} to be written, {size(free)} free in {recipe.corpus}"
    name = "the corpus fits on the disk"
    fits = Finding(name, OK, text) if wanted <= free else Finding(name, WARNING, text, _MORE)
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


def engine(loaded: LoadedRecipe, start: bool) -> list[Finding]:
    """Whether the recipe's engine can be opened; with `start`, whether it writes a sample."""
    name = "the engine's package and model are available"
    spec = loaded.recipe.engine
    try:
        opened = open_engine(spec)
    except EngineError as error:
        return [Finding(name, FAILS, str(error), "see engine: in the recipe")]
    found = [Finding(name, OK, spec.kind)]
    return [*found, _one_sample(opened, loaded)] if start else found


def _one_sample(opened: Engine, loaded: LoadedRecipe) -> Finding:
    name, begun = "the engine starts and writes a sample", time.monotonic()
    request = _first_request(loaded)
    try:
        info, completion = asyncio.run(_written(opened, request))
    except (EngineError, TimeoutError) as error:
        detail = str(error) or f"no answer within {START_S:g} s"
        return Finding(name, FAILS, detail, "see the engine's own messages above")
    took = time.monotonic() - begun
    words = len(completion.text.split())
    detail = f"{info.engine}, {info.model}: {words} words in {took:.1f} s, start included"
    if not completion.text.strip():
        return Finding(name, FAILS, f"{detail}: the sample is empty", "try other prompts")
    return Finding(name, OK, detail)


def _first_request(loaded: LoadedRecipe) -> Request:
    """The first prompt of the plan that can be rendered."""
    recipe = loaded.recipe
    drafts = planned(loaded, 1).drafts
    for draft in drafts:
        if draft.rendered is not None:
            return Request(
                draft.draw.sample_id,
                recipe.fingerprint,
                generation=1,
                index=draft.draw.index,
                seed=draft.draw.seed,
                messages=draft.rendered.messages,
                prompt=draft.rendered.prompt,
                parent=written(draft.rendered),
                stratum=draft.draw.prompt,
            )
    return Request("doctor", recipe.fingerprint, 1, 0, 0, prompt="Once upon a time")


async def _written(opened: Engine, request: Request) -> tuple[EngineInfo, Completion]:
    try:
        async with asyncio.timeout(START_S):
            info = await opened.start()
            return info, await opened.submit(request)
    finally:
        await opened.close()
