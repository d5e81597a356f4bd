"""The endpoint engine against a real server that misbehaves, and against vLLM's own."""

import asyncio
import tracemalloc
from dataclasses import replace

import pytest

from seedcorn.core.engine import Request
from seedcorn.core.errors import EngineDead, EngineUnavailable, RequestRefused
from seedcorn.core.recipe import SamplingSpec
from seedcorn.engines import endpoint_engine
from seedcorn.engines.endpoint_engine import ATTEMPTS, MAX_ANSWER, EndpointEngine
from tests.engines.conftest import CONTEXT, SAMPLING, endpoint_spec, make_request
from tests.engines.rude_server import KEY, RudeServer, answer

RAW = Request("raw", "r", 1, 0, seed=5, prompt="Once upon a time")
CHAT = make_request(0)


def ask(server: RudeServer, request=CHAT, model="m", spec_changes=None, **changes):
    """Start server and engine, submit once, return (info, completion)."""

    async def scenario():
        async with server:
            spec = endpoint_spec(server.url, model, **changes)
            engine = EndpointEngine(replace(spec, **(spec_changes or {})), backoff_s=0.001)
            try:
                return await engine.start(), await engine.submit(request)
            finally:
                await engine.close()

    return asyncio.run(scenario())


def test_endpoint_completion_carries_text_counts_and_reason():
    info, done = ask(RudeServer(answer("hello")))
    assert (done.text, done.prompt_tokens, done.completion_tokens) == ("hello", 7, 3)
    assert (done.finish_reason, done.cached_tokens) == ("stop", 2)
    assert info.max_prompt_tokens == 512 - SAMPLING.max_tokens


def test_endpoint_sends_only_what_the_recipe_sets():
    server = RudeServer()
    sampling = SamplingSpec(max_tokens=9, top_p=0.5)
    ask(server, spec_changes={"sampling": sampling, "chat_template_kwargs": {"thinking": False}})
    assert server.bodies == [
        {
            "model": "m",
            "max_tokens": 9,
            "top_p": 0.5,
            "seed": CHAT.seed,
            "chat_template_kwargs": {"thinking": False},
            "messages": [{"role": "user", "content": CHAT.messages[0].content}],
        }
    ]


def test_endpoint_send_seed_false_sends_none():
    server = RudeServer()
    ask(server, send_seed=False)
    assert "seed" not in server.bodies[0]


def test_endpoint_raw_prompt_goes_to_text_completions():
    server = RudeServer({"choices": [{"text": " there was", "finish_reason": "length"}]})
    _, done = ask(server, RAW)
    assert server.calls == {"/v1/completions": 1}
    assert (done.text, done.finish_reason) == (" there was", "length")


@pytest.mark.parametrize("flaw", [429, 500, 503, 408, b"<html>busy</html>", b"[]", {"choices": []}])
def test_endpoint_transient_flaw_is_retried_until_it_passes(flaw):
    server = RudeServer(flaw, flaw, answer("at last"))
    assert ask(server)[1].text == "at last"
    assert server.calls.total() == 3


def test_endpoint_retry_after_is_honoured():
    async def scenario():
        server = RudeServer((429, "slow down", {"Retry-After": "1"}), answer())
        async with server:
            engine = EndpointEngine(endpoint_spec(server.url, "m"), backoff_s=0.0)
            await engine.start()
            begun = asyncio.get_running_loop().time()
            await engine.submit(CHAT)
            await engine.close()
            return asyncio.get_running_loop().time() - begun

    assert asyncio.run(scenario()) >= 1.0


def test_endpoint_transient_flaw_that_stays_is_dead_after_bounded_attempts():
    server = RudeServer(503)
    with pytest.raises(EngineDead, match="503"):
        ask(server)
    assert server.calls.total() == ATTEMPTS


@pytest.mark.parametrize("status", [400, 413, 422])
def test_endpoint_bad_request_is_refused_at_once(status):
    server = RudeServer((status, "prompt too long", {}))
    with pytest.raises(RequestRefused, match=f"{status}.*prompt too long"):
        ask(server)
    assert server.calls.total() == 1


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_endpoint_fault_of_the_endpoint_never_blames_the_sample(status):
    with pytest.raises(EngineDead, match=str(status)):
        ask(RudeServer((status, "", {"Location": "http://127.0.0.1:9/"})))


def test_endpoint_content_filter_is_refused():
    with pytest.raises(RequestRefused, match="content filter"):
        ask(RudeServer(answer("", finish_reason="content_filter")))


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
def test_endpoint_separate_reasoning_stays_apart(field):
    done = ask(RudeServer(answer("42", message={field: "six times seven"})))[1]
    assert (done.trace, done.text) == ("six times seven", "42")


def test_endpoint_null_content_is_an_empty_text():
    assert ask(RudeServer(answer(message={"content": None})))[1].text == ""


def test_endpoint_timeout_is_retried_then_dead():
    class Sleepy(RudeServer):
        async def complete(self, request):
            self.calls[request.path] += 1
            await asyncio.sleep(0.5)

    server = Sleepy()
    with pytest.raises(EngineDead, match="Timeout"):
        ask(server, timeout_s=0.1)
    assert server.calls.total() == ATTEMPTS


def test_endpoint_unreachable_at_start_is_unavailable_and_names_the_url():
    with pytest.raises(EngineUnavailable, match=r"http://127\.0\.0\.1:9/v1"):
        asyncio.run(EndpointEngine(endpoint_spec("http://127.0.0.1:9")).start())


def test_endpoint_not_an_api_at_start_is_unavailable():
    with pytest.raises(EngineUnavailable, match="not JSON"):
        ask(RudeServer(models=b"<html>hello</html>"))


def test_endpoint_other_model_at_start_is_unavailable_and_lists_the_offer():
    with pytest.raises(EngineUnavailable, match=r"'m'.*alpha, beta"):
        ask(RudeServer(models=("alpha", "beta")))


def test_endpoint_sole_model_serves_a_recipe_that_names_none():
    info, _ = ask(RudeServer(models=("only",)), model="")
    assert info.model == "only"


def test_endpoint_without_model_list_takes_the_recipes_model():
    info, _ = ask(RudeServer(models=404))
    assert (info.model, info.max_prompt_tokens) == ("m", 0)


def test_endpoint_key_from_the_environment_opens_the_door(monkeypatch):
    monkeypatch.setenv("SOME_KEY", KEY)
    assert ask(RudeServer(needs_key=True), api_key_env="SOME_KEY")[1].text == "fine"


def test_endpoint_missing_key_names_the_variable(monkeypatch):
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(EngineUnavailable, match=r"401.*SOME_KEY is empty"):
        ask(RudeServer(needs_key=True), api_key_env="SOME_KEY")


@pytest.mark.parametrize("flaw", [400, 401, 503])
def test_endpoint_key_echoed_by_the_server_stays_out_of_errors(monkeypatch, flaw):
    monkeypatch.setenv("SOME_KEY", KEY)
    with pytest.raises((RequestRefused, EngineDead)) as caught:
        ask(RudeServer(flaw), api_key_env="SOME_KEY")
    assert "***" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("url", ["", "localhost:8000", "ftp://host"])
def test_endpoint_url_that_is_none_is_named(url):
    with pytest.raises(EngineUnavailable, match="base_url"):
        EndpointEngine(endpoint_spec(url))


def test_endpoint_password_in_the_url_stays_out_of_errors():
    with pytest.raises(EngineUnavailable) as caught:
        asyncio.run(EndpointEngine(endpoint_spec("http://me:hush@127.0.0.1:9/v1")).start())
    assert "hush" not in str(caught.value)


def test_endpoint_submit_after_close_is_dead():
    async def scenario():
        async with RudeServer() as server:
            engine = EndpointEngine(endpoint_spec(server.url, "m"))
            await engine.start()
            await engine.close()
            await engine.close()
            await engine.submit(CHAT)

    with pytest.raises(EngineDead):
        asyncio.run(scenario())


@pytest.mark.vllm
@pytest.mark.timeout(300)
def test_endpoint_on_vllm_refuses_a_prompt_too_long_and_serves_its_neighbour(
    started_endpoint, runner
):
    async def scenario():
        return await asyncio.gather(
            started_endpoint.submit(make_request(1, "word " * CONTEXT)),
            started_endpoint.submit(RAW),
            return_exceptions=True,
        )

    refused, served = runner.run(scenario())
    assert isinstance(refused, RequestRefused)
    assert served.text


@pytest.mark.parametrize(
    "flaw",
    [
        b"[" * 100_000,
        b'{"choices": [{"message": {"content": ' + b"9" * 5000 + b"}}]}",
        b"\xff\xfe{",
        b"",
        {"choices": "x"},
        {"choices": [{"message": ["content"]}]},
        {"choices": [{"message": "content"}]},
        {"choices": [{"message": {"content": 5}}]},
        {"choices": [{"message": {"content": [{"type": "text", "text": "part"}]}}]},
        answer(message={"reasoning": {"a": 1}}),
        (503, "", {"Retry-After": "9" * 400}),
    ],
)
def test_endpoint_garbage_is_transient_whatever_its_types(flaw, monkeypatch):
    monkeypatch.setattr(endpoint_engine, "LONGEST_PAUSE_S", 0.1)  # Else Retry-After waits for it.
    server = RudeServer(flaw, answer("at last"))
    assert ask(server)[1].text == "at last"


@pytest.mark.parametrize("usage", [None, [], 7, {"prompt_tokens": "7"}, {"prompt_tokens": -1}])
def test_endpoint_counts_of_a_wrong_type_are_no_counts(usage):
    given = answer("text") | {"usage": usage}
    if isinstance(usage, dict):
        given["usage"] |= {"completion_tokens": 10**30, "prompt_tokens_details": [1]}
    done = ask(RudeServer(given))[1]
    assert (done.text, done.prompt_tokens, done.completion_tokens) == ("text", 0, 0)


@pytest.mark.parametrize("reason", [None, 5, ["stop"], {"a": 1}, "because"])
def test_endpoint_finish_reason_it_does_not_know_is_an_error_outcome(reason):
    assert ask(RudeServer(answer("text", finish_reason=reason)))[1].finish_reason == "error"


def test_endpoint_answer_without_end_is_refused_in_bounded_memory():
    tracemalloc.start()
    try:
        with pytest.raises(RequestRefused, match="longer than 32 MiB"):
            ask(RudeServer(answer("x" * (MAX_ANSWER + 1))))
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # The server in this process holds the answer as well, as text and as bytes.
    assert peak < 8 * MAX_ANSWER


@pytest.mark.parametrize("models", [b'{"data": 5}', b'{"data": {"id": "m"}}', b'{"data": null}'])
def test_endpoint_list_of_models_that_is_none_counts_as_no_list(models):
    assert ask(RudeServer(models=models))[1].text == "fine"


@pytest.mark.parametrize("length", ["'x'", "[]", "1e400", "-5", "true"])
def test_endpoint_context_of_a_wrong_type_is_unknown(length):
    models = f'{{"data": [{{"id": "m", "max_model_len": {length}}}]}}'.replace("'", '"')
    assert ask(RudeServer(models=models.encode()))[0].max_prompt_tokens == 0


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://h:99999", "http://", "ftp://h", "http:///x"]
)
def test_endpoint_url_that_is_none_is_refused_by_its_key(url):
    with pytest.raises(EngineUnavailable, match=r"engine\.openai\.base_url"):
        EndpointEngine(endpoint_spec(url))


def test_endpoint_key_that_would_inject_a_header_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "hunter2\r\nX-Evil: 1")
    with pytest.raises(EngineUnavailable, match="characters that no key has") as caught:
        ask(RudeServer())
    assert "hunter2" not in str(caught.value)
