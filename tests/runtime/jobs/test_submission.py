"""Jobs on a real head node with token auth: submitted, followed, drained, resumed, refused."""

import contextlib
import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from seedcorn.config import recipe_from_dict
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.verify.verification import verify
from tests.servers.ray_head import Wire, ray_head

RECIPE = Path(__file__).parents[3] / "pipelines" / "simulated.yaml"
QUICK = ("generations=1", "units.unit=32", "units.batch=4", "engine.simulated.concurrency=16")
PATIENCE_S = 100

pytestmark = [pytest.mark.ray, pytest.mark.long, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def head(tmp_path_factory):
    with ray_head(tmp_path_factory.mktemp("home")) as running:
        yield running


def _scratch():
    return tempfile.TemporaryFile("w+")


class Started:
    """A running command; what it wrote so far can be read at any time."""

    def __init__(self, words, environment, folder):
        self._out, self._err = _scratch(), _scratch()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "seedcorn.cli", *words],
            cwd=folder,
            env=environment,
            stdout=self._out,
            stderr=self._err,
        )

    def wait(self, seconds):
        try:
            return self._process.wait(seconds)
        finally:
            self._process.kill()

    @property
    def printed(self):
        return os.pread(self._out.fileno(), 1 << 20, 0).decode()

    @property
    def said(self):
        return os.pread(self._err.fileno(), 1 << 20, 0).decode()


class Cli:
    """The command line in processes of its own, standing in a folder that holds nothing."""

    def __init__(self, head, folder):
        self.head, self.folder = head, folder
        folder.mkdir()

    def start(self, *words, address=None, **environment):
        given = self.head.environment | environment
        return Started(
            [*map(str, words), "--address", address or self.head.address],
            {name: value for name, value in given.items() if value is not None},
            self.folder,
        )

    def __call__(self, *words, **where):
        process = self.start(*words, **where)
        code = process.wait(PATIENCE_S)
        return code, process.printed, process.said

    def submit(self, corpus, *words, **where):
        here = ("--python", sys.executable)
        return self("submit", RECIPE, f"corpus={corpus}", *QUICK, *words, *here, **where)

    def job(self, wanted):
        code, out, err = self("jobs", wanted, "--json")
        assert code == 0, err
        return json.loads(out)[0]


@pytest.fixture
def cli(head, tmp_path):
    return Cli(head, tmp_path / "elsewhere")


def until(what, seconds=PATIENCE_S):
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.1)


def committed(corpus):
    return len(list((corpus / "data").rglob("*.parquet")))


def counts(corpus):
    store = open_store(str(corpus), StoreSpec())
    assert verify(store, recipe_from_dict).ok
    generation = read_state(store).generations[1]
    return generation.finished, generation.samples


def test_submit_from_another_folder_takes_its_seed_along_follows_and_ends_with_0(cli, tmp_path):
    corpus, home = tmp_path / "corpus", tmp_path / "recipes"
    home.mkdir()
    text = RECIPE.read_text().replace("package:passages.jsonl", "../seeds/lakes.txt")
    (home / "lakes.yaml").write_text(text.replace("    id: id\n", "    split: line\n"))
    (tmp_path / "seeds").mkdir()
    lakes = [
        f"Lake {n} lies {n * 7} metres deep among the hills of its valley.\n" for n in range(9)
    ]
    (tmp_path / "seeds" / "lakes.txt").write_text("".join(lakes))
    words = ("submit", home / "lakes.yaml", f"corpus={corpus}", *QUICK, "samples=200")
    code, out, err = cli(*words, "--follow", "--python", sys.executable)
    assert code == 0, out + err
    assert out.startswith("submitted seedcorn-corpus-")
    assert f"corpus {corpus} is complete now: 1 of 1 generation;" in out
    assert counts(corpus) == ("exhausted", 200)
    job = cli.job(str(corpus))
    assert (job["status"], job["generation"], job["attempt"]) == ("SUCCEEDED", 1, 1)
    assert (job["corpus"], job["stop_wait_s"]) == (f"file://{corpus}", 600)


@dataclass(frozen=True)
class NightOutcome:
    """A job that was refused a rival, followed, cut off, and stopped by corpus; as it all ended."""

    job: str
    corpus: Path
    refused: tuple[int, str, str]
    stopped: tuple[int, str, str]
    followed: tuple[int, str, str]


@pytest.fixture(scope="module")
def evening(head, tmp_path_factory):
    folder = tmp_path_factory.mktemp("evening")
    cli, corpus = Cli(head, folder / "elsewhere"), folder / "corpus"
    code, out, err = cli.submit(corpus, "samples=1200", "engine.simulated.latency_s=0.3")
    assert code == 0, err
    until(lambda: committed(corpus) >= 1)
    refused = cli.submit(corpus, "samples=1200", "generations=2")
    with contextlib.closing(Wire(int(head.address.rpartition(":")[2]))) as wire:
        words = ("submit", RECIPE, f"corpus={corpus}", *QUICK, "--attach", "--follow")
        follower = cli.start(*words, address=wire.address)
        until(lambda: "batch 0 committed" in follower.printed)
        assert wire.cut() >= 2
        stopped = cli("stop", f"{corpus}/")
        code = follower.wait(PATIENCE_S)
    followed = (code, follower.printed, follower.said)
    return NightOutcome(out.split()[1], corpus, refused, stopped, followed)


def test_second_submission_is_refused_with_the_job_and_how_to_follow_it(evening, head):
    code, out, err = evening.refused
    assert (code, out) == (75, "")
    assert (
        f"job {evening.job} grows file://{evening.corpus} already (generation 1, RUNNING); "
        f"follow it with: seedcorn jobs {evening.job} --follow --address {head.address}" in err
    )


def test_attached_follower_reads_all_of_the_log_once_though_its_connection_breaks(evening, cli):
    code, out, err = evening.followed
    attached, _, followed = out.partition("\n")
    grows = f"grows file://{evening.corpus} up to generation 1"
    assert (code, attached) == (130, f"attached to {evening.job}: RUNNING, {grows}")
    assert f"lost the log of {evening.job}" in err
    assert f"continue with: seedcorn submit {RECIPE} corpus={evening.corpus}" in err
    assert cli("jobs", evening.job, "--follow")[:2] == (130, followed)


def test_stop_drains_and_the_next_attempt_finishes_what_was_staged(evening, cli):
    corpus = evening.corpus
    stopped = f"job {evening.job} STOPPED: Job was intentionally stopped.\n"
    assert evening.stopped[:2] == (0, stopped)
    assert "is draining, for at most 600 s" in evening.stopped[2]
    assert "draining: " in evening.followed[1]
    assert list((corpus / "staging").rglob("*.parquet")), "a drain stages what is in flight"
    before = committed(corpus)
    code, out, err = cli.submit(corpus, "samples=1200", "--follow")
    assert code == 0, out + err
    assert out.startswith(f"submitted {evening.job}-2 ")
    assert committed(corpus) > before
    assert counts(corpus) == ("exhausted", 1200)


def test_stop_now_drops_what_is_in_flight_where_a_drain_would_take_long(cli, tmp_path):
    late = "engine.simulated.latency_s=100"
    code, out, err = cli.submit(tmp_path / "corpus", "samples=200", late, "--drain-s", "50")
    assert code == 0, err
    job = out.split()[1]
    follower = cli.start("jobs", job, "--follow")
    until(lambda: "worker 0 ready" in follower.printed)
    code, out, err = cli("stop", job, "--now")
    assert (code, out) == (0, f"job {job} STOPPED: Job was intentionally stopped.\n")
    assert f"Ray kills the driver of {job} 50 s after the signal" in err
    assert follower.wait(PATIENCE_S) == 130
    assert "draining: " in follower.printed
    assert "stopped at once; everything committed or staged is stored" in follower.printed


def test_follow_of_a_driver_that_fails_ends_with_its_exit_code_and_its_words(cli, tmp_path):
    broken = ("engine.kind=vllm", "engine.model=/no/such/model", "--follow")
    code, out, err = cli.submit(tmp_path / "corpus", *broken)
    job = out.split()[1]
    assert (code, f"job {job} FAILED: seedcorn: no model in /no/such/model" in err) == (2, True)
    assert cli.job(job)["message"].startswith("seedcorn: no model in /no/such/model")


def test_submission_sends_the_cluster_no_secret_of_the_environment(cli, head, tmp_path):
    canaries = {
        "AWS_SECRET_ACCESS_KEY": "canary-aws-40c1",
        "OPENAI_API_KEY": "canary-endpoint-5f1e",
        "HF_TOKEN": "canary-hub-91d2",
        "SEEDCORN_NIGHT_WEBHOOK": "https://hooks.example.org/canary-webhook-77aa",
    }
    with contextlib.closing(Wire(int(head.address.rpartition(":")[2]))) as wire:
        words = ("samples=64", "--follow")
        code, out, err = cli.submit(tmp_path / "corpus", *words, address=wire.address, **canaries)
        assert code == 0, err
        assert b"seedcorn grow" in wire.sent or b"seedcorn.cli grow" in wire.sent
        assert [name for name in canaries if canaries[name].encode() in wire.sent] == []
    assert not any(secret in out + err for secret in canaries.values())


def test_jobs_lists_what_ran_here_and_nothing_else(cli):
    code, out, err = cli("jobs")
    assert code == 0, err
    assert "job" in out.split()
    assert "raysubmit" not in out


@pytest.mark.parametrize(
    ("token", "said"),
    [("0" * 32, "does not accept this token"), (None, "asks for a token, and none was found")],
)
def test_wrong_or_missing_token_is_told_apart_with_where_to_put_it(cli, token, said):
    code, _, err = cli("jobs", RAY_AUTH_TOKEN=token)
    assert code == 1
    assert err.startswith(f"seedcorn: {cli.head.address} {said}; put the cluster's own into RAY_AU")


def test_unknown_job_is_named_with_how_to_find_the_right_one(cli):
    code, _, err = cli("stop", "s3://nowhere/at-all")
    assert code == 2
    assert "knows no seedcorn job 's3://nowhere/at-all'" in err


class OtherServer(http.server.BaseHTTPRequestHandler):
    """Answers /api/version as an older Ray does, where told to; else it knows nothing."""

    def do_GET(self):
        known = self.path == "/api/version" and self.server.version
        body = json.dumps({"version": "4", "ray_version": self.server.version}).encode()
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(body if known else b"")

    def log_message(self, *arguments):
        """Nothing."""


@contextlib.contextmanager
def other_server(version=""):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), OtherServer) as server:
        server.version = version
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_other_ray_and_other_servers_are_refused_by_name(cli):
    with other_server("2.48.0") as address:
        code, _, err = cli("jobs", address=address)
        assert (code, f"{address} runs Ray 2.48.0" in err) == (2, True)
    with other_server() as address:
        code, _, err = cli("jobs", address=address)
        assert (code, "is not a Ray dashboard" in err) == (1, True)
        code, _, err = cli("jobs", address=address.replace("http", "ftp"))
        assert (code, "the dashboard's URL" in err) == (2, True)


def test_address_where_nobody_answers_fails_in_bounded_time(cli):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        code, _, err = cli("jobs", address=address)
        assert time.monotonic() - started < 30
        assert (code, f"cannot reach Ray's job server at {address}" in err) == (1, True)
    code, _, err = cli("jobs", address=address)
    assert (code, "Connection refused" in err) == (1, True)


@pytest.mark.vllm
@pytest.mark.timeout(600)
def test_vllm_job_on_the_cpu_drains_and_the_next_attempt_finishes_it(cli, tmp_path):
    corpus, recipe = tmp_path / "corpus", RECIPE.parent / "dry_run.yaml"
    model = RECIPE.parents[1] / ".cache" / "models" / "SmolLM2-135M-Instruct"
    words = (
        *("submit", recipe, f"corpus={corpus}", f"engine.model={model}", "generations=1"),
        *("samples=48", "engine.sampling.max_tokens=24", "engine.vllm.max_num_seqs=4"),
        "engine.threads=1",
        *("units.unit=4", "units.batch=2", "ledger.companions=0", "--python", sys.executable),
        "checks=[{finish_reason: {allow: [stop, length]}}, {length: {min_words: 3}}]",
    )
    code, out, err = cli(*words)
    assert code == 0, err
    job = out.split()[1]
    until(lambda: committed(corpus) >= 1, 240)
    assert cli("stop", job)[0] == 0
    staged = len(list((corpus / "staging").rglob("*.parquet")))
    assert staged
    assert read_state(open_store(str(corpus), StoreSpec())).generations[1].units < 12
    follower = cli.start(*words, "--follow")
    assert follower.wait(400) == 0, follower.printed + follower.said
    assert f"submitted {job}-2 " in follower.printed
    assert counts(corpus) == ("exhausted", 48)
