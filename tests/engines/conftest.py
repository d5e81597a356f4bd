"""One vLLM, started once, on the CPU, in float32, and vLLM's own server over it.

Float32 on one thread gives equal bytes for equal seeds whoever shares the batch; bfloat16 does not.
"""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedcorn.core.engine import Message, Request, Use
from seedcorn.core.identity import request_seed, sample_id
from seedcorn.core.recipe import EndpointSpec, EngineSpec, SamplingSpec, SimulatedSpec, VllmSpec
from seedcorn.engines.endpoint_engine import EndpointEngine
from seedcorn.engines.simulated_engine import SimulatedEngine

ROOT = Path(__file__).parents[2]
MODEL = ROOT / ".cache" / "models" / "SmolLM2-135M-Instruct"
CONTEXT = 512
SAMPLING = SamplingSpec(max_tokens=16, temperature=0.8, top_p=0.9)


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
            engine = VllmEngine(vllm_spec(), Use(chat=True))
            self.info = self.runner.run(engine.start())
            self.engine = engine
        return self.engine

    def discard(self) -> None:
        """Close it; the next `get` starts another."""
        engine, self.engine = self.engine, None
        if engine is not None:
            self.runner.run(engine.close())


@pytest.fixture(scope="package")
def shared_vllm(runner) -> Iterator[SharedVllm]:
    """Holder of the in-process engine."""
    shared = SharedVllm(runner)
    yield shared
    shared.discard()


@pytest.fixture
def vllm_engine(shared_vllm):
    """The started in-process engine."""
    return shared_vllm.get()


@pytest.fixture(scope="package")
def server_url(runner, shared_vllm) -> Iterator[str]:
    """URL of vLLM's server in front of the shared engine: a model that is loaded once serves both."""
    from vllm.entrypoints.launchers.api_server.entry import build_and_serve
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    engine = shared_vllm.get()._engine
    words = ["--model", str(MODEL), "--served-model-name", "smollm2", "--host", "127.0.0.1"]
    arguments = make_arg_parser(FlexibleArgumentParser()).parse_args(words)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        arguments.port = listening.getsockname()[1]
        url = f"http://127.0.0.1:{arguments.port}"
        serving = runner.get_loop().create_task(build_and_serve(engine, url, listening, arguments))
        yield f"{url}/v1"
        runner.run(_ended(serving))


async def _ended(serving: asyncio.Task) -> None:
    serving.cancel()
    await (await serving)


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
