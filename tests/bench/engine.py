"""Tokens per second of `grow` against bare `LLM.generate`: same model, prompts, seeds and limits.

Both engines are started once, with the same arguments and threads, and take turns: after each
generation of `grow` its loop is held while the bare engine writes the very same prompts. The first
generation warms both up and is not counted.

All completions have the same length and the prompts fill the bare engine's batch a whole number of
times, so it never runs with few sequences. `grow` feeds its engine continuously and ends with such
a tail; its steady rate is read from the log, from the first commit to the last but one. The rate of
whole generations, tail, seed index and last commit included, is printed beside it.
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
from seedcorn.core.log.entries import BatchCommitted, GenerationStarted
from seedcorn.core.recipe import EngineSpec, StoreSpec
from seedcorn.engines.vllm_setup import engine_arguments, engine_environment
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.log.log import read_log
from seedcorn.storage.stores.opening import open_store
from tests.runtime.processes import descendants, kill

REPOSITORY = Path(__file__).parents[2]
DRY_RUN = str(REPOSITORY / "pipelines" / "dry_run.yaml")
MODEL = REPOSITORY / ".cache" / "models" / "SmolLM2-135M-Instruct"
SEQUENCES = 24
SAMPLES, TOKENS, PAIRS = 12 * SEQUENCES, 48, 3
TARGET = 0.90
START_S, STOP_S = 300.0, 20.0
PROMPT = (
    "{name: continue, continuation: true, template: "
    '"{{ parent }}\\n\\nWhat surprised people most about this was"}'
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One generation in tokens/s: bare, grown in steady state, grown from start to last commit."""

    bare: float
    steady: float
    whole: float


@dataclass(frozen=True, slots=True)
class Result:
    """Medians over pairs."""

    bare: float
    steady: float
    ratio: float
    whole_ratio: float
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
                *(f"units.unit={SEQUENCES}", "units.batch=1", "units.ahead=4"),
            ),
        )
        bare_s: dict[int, float] = {}
        with bare_engine(recipe.recipe.engine) as engine:

            def view(snapshot: Snapshot) -> None:
                number = snapshot.generation
                if snapshot.open_batches == 0 and number not in bare_s:
                    bare_s[number] = _write_bare(engine, corpus, number)

            grow(recipe, view, open_cluster)
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
    commits: dict[int, list[tuple[float, int]]] = {}
    for entry in read_log(open_store(corpus, StoreSpec())):
        body = entry.body
        if isinstance(body, GenerationStarted):
            started[body.generation] = entry.at
        elif isinstance(body, BatchCommitted):
            commits.setdefault(body.generation, []).append((entry.at, body.tokens["generated"]))
    pairs = [_pair(started[n], commits[n], bare_s[n]) for n in sorted(started)[1:]]
    return Result(
        bare=statistics.median(pair.bare for pair in pairs),
        steady=statistics.median(pair.steady for pair in pairs),
        ratio=statistics.median(pair.steady / pair.bare for pair in pairs),
        whole_ratio=statistics.median(pair.whole / pair.bare for pair in pairs),
        pairs=pairs,
    )


def _pair(start: float, commits: list[tuple[float, int]], bare_s: float) -> Pair:
    """`commits` are (time, tokens) of a generation's batches in order, at least three."""
    tokens = sum(count for _, count in commits)
    between = sum(count for _, count in commits[1:-1])
    return Pair(
        bare=tokens / bare_s,
        steady=between / (commits[-2][0] - commits[0][0]),
        whole=tokens / (commits[-1][0] - start),
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
        f"    grow              {result.steady:9,.0f} tokens/s   ratio {result.ratio:.3f}   "
        f"target {TARGET:.2f}: {verdict}"
    )
    ratios = ", ".join(f"{pair.steady / pair.bare:.3f}" for pair in result.pairs)
    yield (
        f"    ratio by pair {ratios}; whole generations, tail and last commit included: "
        f"{result.whole_ratio:.3f}"
    )
