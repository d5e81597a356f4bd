"""A person's first ten minutes, replayed without a model: `pytest -s` prints what they read."""

import os
import re
import signal
import sys
import threading
import time

import pytest

from tests.cases.running import seedcorn, write_recipe
from tests.servers.endpoint import serving

KEY = "sk-of-the-first-minutes"


@pytest.fixture
def endpoint(monkeypatch):
    """An endpoint with a small context that wants a key."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with serving(key=KEY, context=400) as one:
        yield one


@pytest.fixture
def read(capsys):
    """Runs a command; returns its exit code and all that a person would read, which is printed."""

    def run(*words):
        capsys.readouterr()
        code = seedcorn(*words)
        printed = capsys.readouterr()
        text = printed.err + printed.out
        with capsys.disabled():
            if "-s" in sys.argv:
                sys.stdout.write(f"\n$ seedcorn {' '.join(map(str, words))}\n{text}[{code}]\n")
        assert "Traceback" not in text
        assert KEY not in text
        return code, text

    return run


def asking(endpoint, folder, **changes):
    """Sixty samples from this endpoint, four at a time, with all else as it comes."""
    openai = {"base_url": f"{endpoint.url}/v1", "max_concurrency": 4}
    engine = {"kind": "openai", "model": "writer", "openai": openai}
    engine["sampling"] = {"max_tokens": 64}
    return write_recipe(folder, samples=60, units={}, engine=engine, **changes)


def test_what_is_wrong_is_named_and_the_mended_command_goes_on(
    endpoint, tmp_path, read, monkeypatch
):
    recipe = asking(endpoint, tmp_path)

    missing = ("engine.kind=vllm", "engine.model=models/small/no-such", "run.ray_address=")
    code, text = read("grow", recipe, *missing)
    assert code == 2
    assert "models/small/no-such" in text

    code, text = read("grow", recipe, "engine.model=writter")
    assert code == 1
    assert "does not serve engine.model 'writter'; it offers writer" in text
    assert "Nothing committed or staged is lost" in text

    code, text = read("grow", recipe, "engine.sampling.max_tokens=500")
    assert code == 1
    assert "engine.sampling.max_tokens: 64 → 500" in text
    assert "failed:request_refused 60" in text
    said = text[text.index("nothing was accepted; 60 samples of generation 2: 60 failed") :]
    assert said.splitlines()[1].startswith("most often failed: request_refused (60), such as")
    assert "answered 400" in said.splitlines()[1]
    assert "the context length is 400 tokens" in said.splitlines()[1]
    assert said.index("most often") < said.index("gen 2: 0 tokens")
    assert f"find the cause with: seedcorn doctor {recipe} engine.sampling.max_tokens=500" in said
    assert said.rstrip().endswith("engine.sampling.max_tokens=500 generations=2")
    assert read("grow", recipe, "engine.sampling.max_tokens=500", "--quiet")[0] == 1

    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    code, text = read("grow", recipe, f"corpus={tmp_path / 'second'}")
    assert code == 1
    assert "answered 401 (the key in $OPENAI_API_KEY)" in text


def test_sixty_samples_interrupted_and_resumed(endpoint, tmp_path, read):
    recipe = asking(endpoint, tmp_path)
    endpoint.answer_s = 0.5
    stop = threading.Thread(target=_interrupt_after, args=(endpoint, endpoint.answers + 8))
    stop.start()
    code, text = read("grow", recipe)
    stop.join()
    assert code == 130
    assert "draining: finishing" in text
    assert "continue with: seedcorn grow" in text
    kept = re.search(r", with (\d+) of 60 samples of the next written; everything", text)
    assert kept is not None

    endpoint.answer_s = 0.0
    before = endpoint.answers
    code, text = read("grow", recipe)
    assert code == 0
    assert "staged segment" in text
    assert "is complete now: 1 of 1 generation" in text
    assert endpoint.answers - before == 60 - int(kept[1])
    assert read("verify", tmp_path / "corpus", "--deep")[0] == 0


def test_quiet_run_says_how_it_ended_and_nothing_else(endpoint, tmp_path, read):
    code, text = read("grow", asking(endpoint, tmp_path), "--quiet")
    assert code == 0
    assert len(text.splitlines()) == 1
    assert text.startswith("corpus ")


def _interrupt_after(endpoint, answers):
    deadline = time.monotonic() + 30
    while endpoint.answers < answers and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
