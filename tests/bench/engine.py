"""Tokens per second of `grow` against bare `LLM.generate`: same model, prompts, seeds and limits.

Both engines are started once, with the same arguments and threads, and take turns: after each
generation of `grow` its loop is held while the bare engine writes the very same prompts. All
completions have the same length, so that no tail of few sequences blurs the comparison. The first
generation warms both up and is not counted.
"""

import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from seedcorn.config import load_recipe
from seedcorn.core.entries import BatchCommitted, GenerationStarted
from seedcorn.core.recipe import EngineSpec, StoreSpec
from seedcorn.engines.vllm_setup import engine_arguments, engine_environment
from seedcorn.runtime.grow import grow
from seedcorn.runtime.snapshot import Snapshot
from seedcorn.storage.log import read_log
from seedcorn.storage.opening import open_store
from tests.runtime.processes import descendants, kill

REPOSITORY = Path(__file__).parents[2]
DRY_RUN = str(REPOSITORY / "pipelines" / "dry_run.yaml")
MODEL = REPOSITORY / ".cache" / "models" / "SmolLM2-135M-Instruct"
SAMPLES, TOKENS, SEQUENCES, PAIRS = 192, 96, 24, 3
TARGET = 0.90
START_S, STOP_S = 300.0, 20.0
PROMPT = (
    "{name: continue, continuation: true, template: "
    '"{{ parent }}\\n\\nWhat surprised people most about this was"}'
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One generation: tokens, seconds bare and grown, and grown including load, seal and commit."""

    tokens: int
    bare_s: float
    grow_s: float
    wall_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over pairs."""

    bare: float
    grown: float
    ratio: float
    wall_ratio: float
    pairs: list[Pair]


def run(pairs: int = PAIRS, samples: int = SAMPLES, tokens: int = TOKENS) -> Result:
    """Grow `pairs` + 1 generations, each followed by its bare twin."""
    with tempfile.TemporaryDirectory(prefix="seedcorn-bench-") as folder:
        corpus = f"{folder}/corpus"
        recipe = load_recipe(
            DRY_RUN,
            (
                *(f"corpus={corpus}", f"generations={pairs + 1}", f"samples={samples}"),
                *("keep_prompt=true", "parents.previous=0", "checks=[]", f"prompts=[{PROMPT}]"),
                *(f"engine.model={MODEL}", f"engine.vllm.max_num_seqs={SEQUENCES}"),
                *(f"engine.sampling.{name}_tokens={tokens}" for name in ("max", "min")),
                *("units.unit=32", "units.batch=2", "units.ahead=3"),
            ),
        )
        bare_s: dict[int, float] = {}
        with bare_engine(recipe.recipe.engine) as engine:

            def view(snapshot: Snapshot) -> None:
                number = snapshot.generation
                if snapshot.open_batches == 0 and number not in bare_s:
                    bare_s[number] = _write_bare(engine, corpus, number)

            grow(recipe, view)
        return _result(corpus, bare_s)


@contextmanager
def bare_engine(spec: EngineSpec) -> Iterator[Connection]:
    """`LLM` in a process of its own: send (prompts, seeds), receive (tokens, seconds)."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there, spec))
    process.start()
    there.close()
    try:
        if not here.poll(START_S) or here.recv() != "ready":
            raise RuntimeError("the bare engine did not start")
        yield here
        here.send(None)
    finally:
        here.close()
        process.join(timeout=STOP_S)
        for pid in [*descendants(process.pid or 0), process.pid or 0] * process.is_alive():
            kill(pid)


def _serve(pipe: Connection, spec: EngineSpec) -> None:
    os.environ.update(engine_environment(spec, os.cpu_count() or 1))
    from vllm import LLM

    llm = LLM(**engine_arguments(spec, on_cpu=True))
    asked = {k: v for k, v in asdict(spec.sampling).items() if v not in (None, [])}
    merged: dict[str, Any] = llm.llm_engine.model_config.get_diff_sampling_param() | asked
    pipe.send("ready")
    try:
        _answer(pipe, llm, merged)
    except EOFError:
        pass  # The benchmark failed and is gone; the engine must not outlive it.
    finally:
        llm.llm_engine.engine_core.shutdown()


def _answer(pipe: Connection, llm: Any, merged: dict[str, Any]) -> None:
    from vllm import SamplingParams

    while (job := pipe.recv()) is not None:
        prompts, seeds = job
        params = [SamplingParams(**merged, seed=seed) for seed in seeds]
        start = time.perf_counter()
        outputs = llm.generate(prompts, params, use_tqdm=False)
        seconds = time.perf_counter() - start
        pipe.send((sum(len(output.outputs[0].token_ids) for output in outputs), seconds))


def _write_bare(engine: Connection, corpus: str, number: int) -> float:
    """Seconds that the bare engine takes for the prompts of a generation, in plan order."""
    rows = samples_of(corpus, number).sort_by("index")
    engine.send((rows["prompt"].to_pylist(), rows["seed"].to_pylist()))
    tokens, seconds = engine.recv()
    grown = sum(rows["completion_tokens"].to_pylist())
    if tokens != grown:
        raise RuntimeError(f"generation {number}: grow wrote {grown} tokens, bare vLLM {tokens}")
    return seconds


def samples_of(corpus: str, number: int) -> pa.Table:
    """Prompts, seeds and lengths of everything a generation wrote."""
    columns = ["index", "prompt", "seed", "completion_tokens"]
    folders = [Path(corpus) / role / f"gen-{number:04d}" for role in ("data", "dropped")]
    tables = [ds.dataset(f, format="parquet").to_table(columns) for f in folders if f.is_dir()]
    return pa.concat_tables(tables)


def _result(corpus: str, bare_s: dict[int, float]) -> Result:
    started: dict[int, float] = {}
    ended: dict[int, float] = {}
    busy: dict[int, float] = {}
    tokens: dict[int, int] = {}
    for entry in read_log(open_store(corpus, StoreSpec())):
        body = entry.body
        if isinstance(body, GenerationStarted):
            started[body.generation] = entry.at
        elif isinstance(body, BatchCommitted):
            number = body.generation
            ended[number] = entry.at
            busy[number] = busy.get(number, 0.0) + body.engine_seconds
            tokens[number] = tokens.get(number, 0) + body.tokens["generated"]
    pairs = [
        Pair(tokens[n], bare_s[n], busy[n], ended[n] - started[n]) for n in sorted(started)[1:]
    ]
    return Result(
        bare=statistics.median(p.tokens / p.bare_s for p in pairs),
        grown=statistics.median(p.tokens / p.grow_s for p in pairs),
        ratio=statistics.median(p.bare_s / p.grow_s for p in pairs),
        wall_ratio=statistics.median(p.bare_s / p.wall_s for p in pairs),
        pairs=pairs,
    )


def report() -> Iterator[str]:
    """Lines of the benchmark's table."""
    yield (
        f"(a) vLLM, {MODEL.name}, {SAMPLES} prompts x {TOKENS} tokens, {SEQUENCES} sequences, "
        f"median of {PAIRS} pairs"
    )
    result = run()
    verdict = "met" if result.ratio >= TARGET else "MISSED"
    yield f"    bare LLM.generate {result.bare:9,.0f} tokens/s"
    yield (
        f"    grow              {result.grown:9,.0f} tokens/s   ratio {result.ratio:.3f}   "
        f"target {TARGET:.2f}: {verdict}"
    )
    ratios = ", ".join(f"{pair.bare_s / pair.grow_s:.3f}" for pair in result.pairs)
    yield (
        f"    ratio by pair {ratios}; with seed index, first fill and last commit of each "
        f"generation {result.wall_ratio:.3f}"
    )
