"""`seedcorn doctor RECIPE`: what otherwise only the run finds, and nothing is grown."""

import json
import os

import pytest

from seedcorn.cli import main
from tests.commands.conftest import RECIPE, SEED, write_recipe
from tests.engines.rude_server import answer
from tests.engines.small_model import REFUSING_SYSTEM, WITHOUT_SYSTEM, write_model, write_weights
from tests.servers.endpoint import serving
from tests.servers.endpoint_thread import endpoint

FITS = "the prompts fit the context"
SYSTEM = "the system turn reaches the model"
TEMPLATE = "the model has a chat template"
WEIGHTS = "its weights are there and whole"
READABLE = "a run can read its answers"


@pytest.fixture(autouse=True)
def quiet_home(tmp_path, monkeypatch):
    """A home without a Ray token or a hub cache, whatever the machine's own says."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def examined(capsys, path, *words):
    """(exit code, findings of the recipe by check) of `doctor --json`."""
    code = main(["doctor", "--json", path, *words])
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is (code == 0)
    found = [f for group in report["groups"] for f in group["findings"] if f["key"]]
    return code, {finding["check"]: finding for finding in found}


def vllm_recipe(folder, model, **changes):
    """The small recipe for vLLM with a model's folder."""
    engine = {"kind": "vllm", "model": str(model), "sampling": {"max_tokens": 20}}
    engine["vllm"] = {
        "max_model_len": 512,
        "device": "cpu",
        "kv_cache_bytes": 1 << 20,
        "max_num_seqs": 8,
    }
    return write_recipe(folder, **({"engine": engine} | changes))


def with_system(text="Write plainly."):
    return [prompt | {"system": text} for prompt in RECIPE["prompts"]]


def test_recipe_that_can_run_passes_and_nothing_is_written(tmp_path, capsys):
    path = vllm_recipe(tmp_path, write_model(tmp_path / "model"), prompts=with_system())
    before = sorted(tmp_path.rglob("*"))
    code, found = examined(capsys, path)
    levels = {check: finding["level"] for check, finding in found.items()}
    assert (code, set(levels.values())) == (0, {"ok"}), levels
    assert {FITS, SYSTEM, TEMPLATE, WEIGHTS, "the seed can be read"} <= levels.keys()
    assert "the installed vLLM knows its architecture" in levels
    assert f"{len(SEED)} rows" in found["the seed can be read"]["detail"]
    assert "4 characters a token" in found["the corpus fits on the disk"]["detail"]
    assert sorted(tmp_path.rglob("*")) == before


def test_text_names_the_key_and_what_to_do_on_one_line_a_finding(tmp_path, capsys):
    path = vllm_recipe(tmp_path, write_model(tmp_path / "model", max_position_embeddings=256))
    assert main(["doctor", path]) == 1
    lines = capsys.readouterr().out.splitlines()
    [number] = [n for n, line in enumerate(lines) if line.startswith("  FAILS")]
    assert lines[number].startswith("  FAILS    engine.vllm.max_model_len: ")
    assert "512 asked for, 256 in config.json" in lines[number]
    assert lines[number + 1] == "           → set engine.vllm.max_model_len=256 or less"


@pytest.mark.parametrize(
    ("template", "said"),
    [(WITHOUT_SYSTEM, "drops it"), (REFUSING_SYSTEM, "System role not supported")],
)
def test_template_that_loses_the_system_turn_fails_only_where_a_prompt_has_one(
    template, said, tmp_path, capsys
):
    model = write_model(tmp_path / "model", template)
    code, found = examined(capsys, vllm_recipe(tmp_path, model, prompts=with_system()))
    assert (code, found[SYSTEM]["level"], found[SYSTEM]["key"]) == (1, "fails", "prompts.0.system")
    assert said in found[SYSTEM]["detail"]
    code, found = examined(capsys, vllm_recipe(tmp_path, model))
    assert (code, found[SYSTEM]["level"]) == (0, "ok")


def test_model_without_a_chat_template_fails_unless_prompts_continue_text(tmp_path, capsys):
    model = write_model(tmp_path / "model", None)
    code, found = examined(capsys, vllm_recipe(tmp_path, model))
    assert (code, found[TEMPLATE]["level"]) == (1, "fails")
    raw = [prompt | {"continuation": True} for prompt in RECIPE["prompts"]]
    code, found = examined(capsys, vllm_recipe(tmp_path, model, prompts=raw))
    assert (code, TEMPLATE in found) == (0, False)


def test_model_that_is_not_there_fails_and_one_of_the_hub_is_a_warning(
    tmp_path, capsys, monkeypatch
):
    name = "the model is on this machine"
    code, found = examined(capsys, vllm_recipe(tmp_path, tmp_path / "gone"))
    assert (code, found[name]["level"], found[name]["key"]) == (1, "fails", "engine.model")
    with serving() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        _, found = examined(capsys, vllm_recipe(tmp_path, "org/small"))
    assert (found[name]["level"], found[name]["advice"]) == ("warning", "hf download org/small")
    assert found[FITS]["detail"].startswith("unknown: no tokenizer at hand")


def test_model_of_a_hub_that_cannot_be_asked_fails(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    code, found = examined(capsys, vllm_recipe(tmp_path, "org/small"))
    finding = found["the model is on this machine"]
    assert (code, finding["level"], finding["key"]) == (1, "fails", "engine.model")
    assert finding["detail"].startswith("there is no folder org/small (looked from ")
    assert finding["detail"].endswith("HF_HUB_OFFLINE is set")
    assert finding["advice"].endswith("hf download org/small")


def test_weights_that_are_cut_off_fail(tmp_path, capsys):
    model = write_model(tmp_path / "model")
    write_weights(model / "model.safetensors", 100)
    code, found = examined(capsys, vllm_recipe(tmp_path, model))
    assert (code, found[WEIGHTS]["level"]) == (1, "fails")


@pytest.mark.parametrize(("mebibytes", "level"), [(81920, "ok"), (0, "fails")])
def test_weights_are_held_against_the_memory_of_a_gpu(
    mebibytes, level, tmp_path, capsys, monkeypatch
):
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    # Two GPUs, of which the smaller one counts.
    program.write_text(f"#!/bin/sh\necho 90000\necho {mebibytes or 1}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    model = write_model(tmp_path / "model")
    if not mebibytes:
        write_weights(model / "model.safetensors", 2 << 20)
    code, found = examined(capsys, vllm_recipe(tmp_path, model), "engine.vllm.device=cuda")
    assert (found["its weights fit on the GPUs"]["level"], code) == (level, int(level == "fails"))


def test_architecture_that_vllm_does_not_bring_is_a_warning(tmp_path, capsys):
    model = write_model(tmp_path / "model", architectures=["NobodyForCausalLM"])
    _, found = examined(capsys, vllm_recipe(tmp_path, model))
    known = found["the installed vLLM knows its architecture"]
    assert (known["level"], "NobodyForCausalLM" in known["detail"]) == ("warning", True)


@pytest.mark.parametrize(("context", "level"), [(512, "ok"), (60, "warning"), (21, "fails")])
def test_prompts_that_do_not_fit_are_counted(context, level, tmp_path, capsys):
    path = vllm_recipe(tmp_path, write_model(tmp_path / "model"))
    code, found = examined(capsys, path, f"engine.vllm.max_model_len={context}")
    assert (found[FITS]["level"], code) == (level, int(level == "fails"))
    assert "of 48 rendered prompts do not fit (exact: these are all)" in found[FITS]["detail"]


def test_seed_that_cannot_be_read_is_a_finding_and_the_rest_is_looked_at(tmp_path, capsys):
    path = vllm_recipe(tmp_path, write_model(tmp_path / "model"))
    code, found = examined(capsys, path, "seed.0.path=gone.txt")
    assert (code, found["the seed can be read"]["level"]) == (1, "fails")
    assert found[WEIGHTS]["level"] == "ok"


def test_what_is_probably_not_meant_is_a_warning(tmp_path, capsys):
    prompts = [{"name": "invent", "template": "Write about a lake.", "axes": {"tone": ["a", "b"]}}]
    code, found = examined(capsys, write_recipe(tmp_path, prompts=prompts))
    assert code == 0
    warned = {f["key"] for f in found.values() if f["level"] == "warning"}
    assert warned == {"prompts.0.template", "prompts.0.axes.tone"}


def test_recipe_and_corpus_are_told_apart_whatever_stands_first(tmp_path, capsys):
    path, corpus = write_recipe(tmp_path), str(tmp_path / "store")
    for words in ([path, corpus], [corpus, "--recipe", path], [path, corpus, "samples=9"]):
        assert main(["doctor", "--json", *words]) == 0
        names = [group["name"] for group in json.loads(capsys.readouterr().out)["groups"]]
        assert f"room for {path}" in names
        assert f"store {corpus}" in names
    assert main(["doctor", path, corpus, "another"]) == 2
    assert "another" in capsys.readouterr().err


@pytest.mark.parametrize(("address", "asked"), [("", True), ("none", False)])
def test_ray_is_looked_at_where_the_recipe_uses_it(address, asked, tmp_path, capsys):
    assert main(["doctor", "--json", write_recipe(tmp_path, run={"ray_address": address})]) == 0
    names = [group["name"] for group in json.loads(capsys.readouterr().out)["groups"]]
    assert ("Ray" in names) is asked


def test_batches_that_leave_the_engines_idle_fail(tmp_path, capsys):
    path = write_recipe(tmp_path, samples=5000)
    code, found = examined(capsys, path, "engine.simulated.concurrency=1000")
    window = found["the open batches keep the engines busy"]
    assert (code, window["level"], window["key"]) == (1, "fails", "units")


def asked(capsys, folder, *script, **options):
    """Exit code and findings of a recipe over an endpoint that answers so, and what it was asked."""
    with endpoint(*script, models=options.pop("models", ("m",))) as server:
        engine = {"kind": "openai", "model": "m", "openai": {"base_url": server.url}}
        engine["openai"] |= {"send_seed": False, "max_concurrency": 8}
        code, found = examined(capsys, write_recipe(folder, engine=engine, **options))
        return code, found, server.bodies


def test_endpoint_is_asked_once_for_a_few_tokens(tmp_path, capsys):
    code, found, bodies = asked(capsys, tmp_path, answer() | {"model": "m"})
    assert code == 0
    assert [body["max_tokens"] for body in bodies] == [16]
    assert found[READABLE]["detail"] == "content is a string, ended for 'stop'"
    assert found["it counts its tokens"]["detail"] == "7 read, 3 written"
    assert found["the model that answers is the one asked for"]["level"] == "ok"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer(message={"content": {"text": "fine"}}), "content is dict"),
        (answer(finish_reason="surprise"), "ended for 'surprise'"),
        ({"choices": []}, "content is nothing"),
    ],
)
def test_answer_that_no_run_can_read_fails(reply, said, tmp_path, capsys):
    code, found, _ = asked(capsys, tmp_path, reply)
    assert (code, found[READABLE]["level"]) == (1, "fails")
    assert said in found[READABLE]["detail"]


def test_endpoint_that_counts_nothing_or_serves_another_model_is_a_warning(tmp_path, capsys):
    reply = {key: value for key, value in answer().items() if key != "usage"} | {"model": "other"}
    code, found, _ = asked(capsys, tmp_path, reply)
    assert code == 0
    assert found["it counts its tokens"]["level"] == "warning"
    other = found["the model that answers is the one asked for"]
    assert (other["level"], other["detail"]) == ("warning", "asked for m, answered by other")


@pytest.mark.parametrize(("read", "level"), [(30, "ok"), (7, "fails")])
def test_system_turn_that_adds_no_token_does_not_arrive(read, level, tmp_path, capsys):
    longer = answer() | {"usage": {"prompt_tokens": read, "completion_tokens": 3}}
    code, found, bodies = asked(capsys, tmp_path, answer(), longer, prompts=with_system())
    assert (found[SYSTEM]["level"], code) == (level, int(level == "fails"))
    assert [[turn["role"] for turn in body["messages"]] for body in bodies] == [
        ["user"],
        ["system", "user"],
    ]


def test_endpoint_that_refuses_or_is_gone_fails(tmp_path, capsys):
    code, found, _ = asked(capsys, tmp_path, 401)
    assert (code, found["the endpoint answers"]["level"]) == (1, "fails")
    code, found, _ = asked(capsys, tmp_path, models=("another",))
    assert "it offers another" in found["the endpoint answers"]["detail"]
