"""`grow` and the other verbs work where an event loop runs already, as in a notebook."""

import asyncio
import os
import signal
import threading
import time

from seedcorn.cli import main
from seedcorn.config import load_recipe
from seedcorn.core.recipe import StoreSpec
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.local.cluster import local_cluster
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.stores.opening import open_store
from tests.cases.running import seedcorn, write_recipe
from tests.corpora.digests import corpus_digest
from tests.servers.endpoint import serving


def in_a_cell(call, *arguments):
    """What a call gives inside a coroutine, as in a notebook's cell."""

    async def cell():
        return call(*arguments)

    return asyncio.run(cell())


def opened(folder):
    return open_store(str(folder / "corpus"), StoreSpec())


def test_command_line_grows_in_a_cell_what_it_grows_in_a_shell(tmp_path):
    (tmp_path / "cell").mkdir()
    (tmp_path / "shell").mkdir()
    assert in_a_cell(main, ["grow", str(write_recipe(tmp_path / "cell"))]) == 0
    assert main(["grow", str(write_recipe(tmp_path / "shell"))]) == 0
    cell, shell = (corpus_digest(opened(tmp_path / name)) for name in ("cell", "shell"))
    assert cell == shell


def test_python_function_grows_in_a_cell(tmp_path):
    loaded = load_recipe(str(write_recipe(tmp_path)))
    grown = in_a_cell(grow, loaded, lambda look: None, local_cluster)
    assert (grown.complete, grown.generations) == (True, 1)


def test_mended_recipe_runs_at_once_in_the_same_process(tmp_path):
    with serving() as endpoint:
        openai = {"base_url": f"{endpoint.url}/v1"}
        engine = {"kind": "openai", "model": "writer", "openai": openai}
        recipe = write_recipe(tmp_path, engine=engine)
        words = ["grow", str(recipe)]
        assert in_a_cell(main, [*words, "engine.model=missing"]) == 1
        began = time.monotonic()
        assert in_a_cell(main, words) == 0
    # The failed run lives in this very process: its heartbeat must not be waited for.
    assert time.monotonic() - began < 25
    assert read_state(opened(tmp_path)).standing[2].finished


def test_interrupt_of_a_cell_drains_and_the_next_one_goes_on(tmp_path, capsys):
    with serving(answer_s=0.5) as endpoint:
        openai = {"base_url": f"{endpoint.url}/v1", "max_concurrency": 4}
        engine = {"kind": "openai", "model": "writer", "openai": openai}
        recipe = write_recipe(tmp_path, engine=engine)

        def interrupt():
            while endpoint.answers < 4:
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        assert in_a_cell(seedcorn, "grow", recipe) == 130
        thread.join()
        assert "draining" in capsys.readouterr().err
        assert endpoint.answers < 24
        endpoint.answer_s = 0.0
        assert in_a_cell(seedcorn, "grow", recipe) == 0
    assert read_state(opened(tmp_path)).standing[1].finished


def test_grow_beside_the_main_thread_leaves_signals_alone(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    codes = []
    words = ["grow", str(write_recipe(tmp_path))]
    thread = threading.Thread(target=lambda: codes.append(main(words)))
    thread.start()
    thread.join()
    assert codes == [0]
    assert signal.getsignal(signal.SIGINT) is before


def test_doctor_asks_an_endpoint_in_a_cell(tmp_path, capsys):
    with serving() as endpoint:
        openai = {"base_url": f"{endpoint.url}/v1"}
        engine = {"kind": "openai", "model": "writer", "openai": openai}
        recipe = write_recipe(tmp_path, engine=engine)
        in_a_cell(main, ["doctor", "--recipe", str(recipe), "--engine"])
    said = capsys.readouterr().out
    assert "running event loop" not in said
    assert endpoint.answers
