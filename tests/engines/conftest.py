"""One vLLM in this process and one vLLM server, each started once, on the CPU, in float32.

Float32 on one thread gives equal bytes for equal seeds whoever shares the batch; bfloat16 does not.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedcorn.core.engine import Message, Request
from seedcorn.core.identity import request_seed, sample_id
from seedcorn.core.recipe import EndpointSpec, EngineSpec, SamplingSpec, SimulatedSpec, VllmSpec
from seedcorn.engines.endpoint_engine import EndpointEngine
from seedcorn.engines.simulated_engine import SimulatedEngine

ROOT = Path(__file__).parents[2]
MODEL = ROOT / ".cache" / "models" / "SmolLM2-135M-Instruct"
CONTEXT = 512
SAMPLING = SamplingSpec(max_tokens=16, temperature=0.8, top_p=0.9)
SERVER_START_S = 240


def make_request(index: int, text: str = "", recipe: str = "contract") -> Request:
    """A chat request as the line makes them."""
    content = text or f"Write one sentence about the number {index}."
    return Request(
        sample_id=sample_id(recipe, 1, index),
        recipe=recipe,
        generation=1,
        index=index,
        seed=request_seed(recipe, 1, index),
        messages=(Message("user", content),),
    )


def vllm_spec(**changes) -> EngineSpec:
    """The CPU engine that the tests share."""
    settings = {"dtype": "float32", "max_model_len": CONTEXT, "max_num_seqs": 16}
    return EngineSpec(
        kind="vllm",
        model=str(MODEL),
        threads=1,
        sampling=SAMPLING,
        vllm=VllmSpec(**(settings | {"kv_cache_bytes": 2**28} | changes)),
    )


@pytest.fixture(scope="package")
def runner() -> Iterator[asyncio.Runner]:
    """One event loop for the session: an engine lives in the loop it was started in."""
    with asyncio.Runner() as loop_runner:
        yield loop_runner


@pytest.fixture(scope="package")
def server_process() -> Iterator[tuple[subprocess.Popen, int]]:
    """A real vLLM server, starting; not waited for, so that it loads beside the other engine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(MODEL)]
    command += ["--served-model-name", "smollm2", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--dtype", "float32", "--max-model-len", str(CONTEXT), "--max-num-seqs", "16"]
    command += ["--max-num-batched-tokens", "4096", "--no-enable-chunked-prefill"]
    command += ["--kv-cache-memory-bytes", str(2**28), "--enforce-eager"]
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    yield process, port
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()


class SharedVllm:
    """The engine of the session; one that a test has killed is replaced for the next."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.engine = None
        self.info = None

    def get(self):
        """A started engine."""
        from seedcorn.engines.vllm_engine import VllmEngine

        if self.engine is None:
            engine = VllmEngine(vllm_spec(), chat=True)
            self.info = self.runner.run(engine.start())
            self.engine = engine
        return self.engine

    def discard(self) -> None:
        """Close it; the next `get` starts another."""
        engine, self.engine = self.engine, None
        if engine is not None:
            self.runner.run(engine.close())


@pytest.fixture(scope="package")
def shared_vllm(runner, server_process) -> Iterator[SharedVllm]:
    """Holder of the in-process engine."""
    shared = SharedVllm(runner)
    yield shared
    shared.discard()


@pytest.fixture
def vllm_engine(shared_vllm):
    """The started in-process engine."""
    return shared_vllm.get()


def ended_within(process: subprocess.Popen, seconds: float) -> bool:
    """Whether the process ends in that time."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


@pytest.fixture(scope="package")
def server_url(server_process) -> str:
    """URL of the vLLM server, once it is healthy."""
    process, port = server_process
    deadline = time.monotonic() + SERVER_START_S
    while time.monotonic() < deadline and not ended_within(process, 0.5):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return f"http://127.0.0.1:{port}/v1"
        except OSError:
            continue
    pytest.fail(f"the vLLM server did not become healthy (exit code {process.poll()})")


def endpoint_spec(url: str, model: str = "smollm2", **changes) -> EngineSpec:
    """An endpoint, by default the real server."""
    return EngineSpec(
        kind="openai", model=model, sampling=SAMPLING, openai=EndpointSpec(base_url=url, **changes)
    )


@pytest.fixture(scope="package")
def started_endpoint(runner, server_url) -> Iterator[EndpointEngine]:
    """The endpoint engine on the real server."""
    engine = EndpointEngine(endpoint_spec(server_url))
    runner.run(engine.start())
    yield engine
    runner.run(engine.close())


@pytest.fixture
def simulated_engine(runner) -> Iterator[SimulatedEngine]:
    """A started simulated engine with a little latency, so that calls overlap."""
    spec = SimulatedSpec(latency_s=0.01, latency_jitter=0.5, concurrency=8)
    engine = SimulatedEngine(EngineSpec(kind="simulated", simulated=spec))
    runner.run(engine.start())
    yield engine
    runner.run(engine.close())
