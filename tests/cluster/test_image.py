"""The Dockerfile under a linter, and the two commands it installs, run for real."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import kuberay
from tests.cluster.dockerfile import instructions, lint

CLUSTER = Path(__file__).parents[2] / "cluster"
SOURCE = (CLUSTER / "Dockerfile").read_text(encoding="utf-8")
UNLESS_BUSY = CLUSTER / "image" / "unless-busy"
START_NIGHT = CLUSTER / "image" / "start-night"


def test_dockerfile_breaks_no_rule() -> None:
    assert lint(SOURCE) == []


@pytest.mark.parametrize(
    ("rule", "old", "new"),
    [
        ("DL3006", "python:3.11.14-slim-bookworm", "python"),
        ("DL3007", "python:3.11.14-slim-bookworm", "python:latest"),
        ("exact_tag", "python:3.11.14-slim-bookworm", "python:3.11-slim"),
        ("DL3002", "USER 1000:1000", "USER root"),
        ("DL3002", "USER 1000:1000\n", ""),
        ("numeric_user", "USER 1000:1000", "USER seedcorn"),
        ("DL3008", "# hadolint ignore=DL3008\n", ""),
        ("DL3009", "&& rm -rf /var/lib/apt/lists/*", ""),
        ("DL3013", '"uv==${UV}"', "uv"),
        ("DL3015", "--no-install-recommends ", ""),
        ("DL3020", "COPY src src", "ADD src src"),
        ("DL3025", 'CMD ["seedcorn", "--help"]', "CMD seedcorn --help"),
        ("DL3042", "pip install --no-cache-dir", "pip install"),
        ("DL4006", 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]\nWORKDIR', "RUN a | b\nWORKDIR"),
        ("DL3000", "WORKDIR /build", "WORKDIR build"),
        ("DL3027", "apt-get update", "apt update"),
        ("secret", "ENV PATH", "ENV AWS_SECRET_ACCESS_KEY=x PATH"),
    ],
)
def test_mistake_in_the_dockerfile_fails_by_number(rule: str, old: str, new: str) -> None:
    assert old in SOURCE
    assert rule in lint(SOURCE.replace(old, new, 1))


def test_ignored_rule_without_a_reason_fails() -> None:
    bare = "FROM a:1.2.3\n# hadolint ignore=DL3008\nRUN apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*\nUSER 5\n"
    assert lint(bare) == ["DL3008"]
    assert lint(bare.replace("# hadolint", "# Debian keeps one.\n# hadolint")) == []


def test_everything_the_image_copies_exists_and_is_not_ignored() -> None:
    kept = (CLUSTER / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [
        word
        for item in instructions(SOURCE)
        if item.name == "COPY" and "--from" not in item.text
        for word in item.text.split()[:-1]
        if not word.startswith("--")
    ]
    assert copied
    assert [name for name in copied if not (CLUSTER.parent / name).exists()] == []
    assert [name for name in copied if f"!{name.rstrip('/')}" not in kept] == []


def test_constraints_of_the_image_name_packages_of_the_lock() -> None:
    pattern = re.search(r"grep -E '([^']*)'", SOURCE)
    assert pattern is not None
    lock = (CLUSTER.parent / "requirements-cpu.lock").read_text().splitlines()
    names = pattern[1].removeprefix("^(").removesuffix(")==").split("|")
    assert sum(re.match(pattern[1], line) is not None for line in lock) == len(names)


@pytest.mark.parametrize(("code", "told"), [(0, 0), (75, 0), (1, 1), (2, 2), (130, 130)])
def test_unless_busy_passes_every_code_but_75(code: int, told: int) -> None:
    done = subprocess.run(
        [UNLESS_BUSY, "sh", "-c", f"exit {code}"], capture_output=True, check=False
    )
    assert done.returncode == told
    assert (b"busy" in done.stderr) == (code == 75)


COUNTING = """
import signal, sys, time
seen = []
signal.signal(signal.SIGTERM, lambda *_: seen.append(1))
print("ready", flush=True)
until = time.monotonic() + 30
while not seen and time.monotonic() < until:
    time.sleep(.02)
time.sleep(.5)  # where a second signal would arrive
print("signals", len(seen), flush=True)
sys.exit(75)
"""


def test_unless_busy_outlives_a_drain_and_signals_it_once() -> None:
    """Ray tells every process of a job to stop, once: `JobSupervisor._kill_processes`."""
    job = subprocess.Popen(
        [UNLESS_BUSY, sys.executable, "-c", COUNTING],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert job.stdout is not None
    assert job.stdout.readline() == "ready\n"
    os.killpg(job.pid, signal.SIGTERM)
    assert job.wait(30) == 0
    assert job.stdout.read() == "signals 1\n"


DRAINING = """
import subprocess, sys, time
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
"""
AFTER = """
print("helper", "lives" if helper.poll() is None else "is gone", flush=True)
helper.kill()
sys.exit(130)
"""


@pytest.mark.parametrize(
    ("foreground", "told"), [(True, "helper lives"), (False, "helper is gone")]
)
def test_timeout_of_the_slurm_script_signals_the_driver_alone(foreground: bool, told: str) -> None:
    script = (CLUSTER / "slurm" / "seedcorn.sbatch").read_text()
    options = re.search(r"timeout (--foreground --signal=TERM) \d+", script)
    assert options is not None
    words = [word for word in options[1].split() if foreground or word != "--foreground"]
    program = DRAINING + COUNTING.replace("sys.exit(75)", AFTER)
    command = ["timeout", *words, "2", sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (124, told)


class Kubernetes(ThreadingHTTPServer):
    """As much of an API server as keeps RayJobs; each read moves a created one a stage on."""

    def __init__(self, stages: list[dict[str, str]]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        manifests = yaml.safe_load_all((CLUSTER / "kubernetes/plain/nightly.yaml").read_text())
        self.template = next(tree for tree in manifests if tree["kind"] == "RayJob")
        self.jobs = {self.template["metadata"]["name"]: self.template}
        self.stages, self.posted, self.tokens = stages, [], set()
        self.reads, self.first, self.broken = 0, 0, list[int]()

    def stumble_after(self, reads: int, codes: list[int]) -> None:
        """Answer with these codes once so many reads went well."""
        self.first, self.broken = reads, codes

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: Kubernetes  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""

    def do_GET(self) -> None:
        self.server.tokens.add(self.headers["Authorization"])
        name = self.path.rpartition("/")[2]
        self.server.reads += 1
        if self.server.broken and self.server.reads > self.server.first:
            self.say(self.server.broken.pop(0), {})
        elif name not in self.server.jobs:
            self.say(404, {"message": f"no {name}"})
        else:
            found = self.server.jobs[name]
            if found is not self.server.template:
                stages = self.server.stages
                found = {**found, "status": stages.pop(0) if len(stages) > 1 else stages[0]}
            self.say(200, found)

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = sent["metadata"]["name"]
        known = name in self.server.jobs
        self.server.jobs.setdefault(name, sent)
        self.server.posted.append(sent)
        self.say(409 if known else 201, {})

    def say(self, code: int, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def kubernetes() -> Iterator[Kubernetes]:
    stages = [{}, {"jobDeploymentStatus": "Running", "jobStatus": "RUNNING"}, SUCCEEDED]
    with Kubernetes(stages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


SUCCEEDED = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
FAILED = {"jobDeploymentStatus": "Failed", "jobStatus": "FAILED", "message": "exit code 1"}


def start(server: str, account: Path, template: str = "seedcorn-night") -> tuple[int, str]:
    """One run of start-night, as the CronJob's pod does it, but impatient."""
    (account / "token").write_text("abc\n")
    command = [sys.executable, START_NIGHT, template, "--owner", "seedcorn-night-29389920"]
    command += ["--uid", "u-1", "--namespace", "seedcorn", "--server", server]
    command += ["--account", account, "--every-s", ".05", "--patience-s", ".3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout


def test_start_night_creates_one_job_from_the_template_and_waits(
    kubernetes: Kubernetes, tmp_path: Path
) -> None:
    code, said = start(kubernetes.url, tmp_path)
    assert code == 0, said
    [sent] = kubernetes.posted
    # KubeRay names the submitter's Job after the RayJob and takes one that is there for its own.
    assert sent["metadata"]["name"] == "seedcorn-night-29389920-grow"
    assert kuberay.problems({**sent, "metadata": {"name": sent["metadata"]["name"]}}) == []
    assert sent["metadata"]["ownerReferences"] == [
        {"apiVersion": "batch/v1", "kind": "Job", "name": "seedcorn-night-29389920", "uid": "u-1"}
    ]
    assert "suspend" not in sent["spec"]
    assert sent["spec"] == {k: v for k, v in kubernetes.template["spec"].items() if k != "suspend"}
    assert "RUNNING" in said
    assert kubernetes.tokens == {"Bearer abc"}


def test_start_night_twice_for_one_tick_makes_one_job(
    kubernetes: Kubernetes, tmp_path: Path
) -> None:
    assert start(kubernetes.url, tmp_path)[0] == 0
    code, said = start(kubernetes.url, tmp_path)
    assert (code, len(kubernetes.jobs)) == (0, 2)
    assert "was there already" in said


def test_start_night_ends_as_the_night_ended(kubernetes: Kubernetes, tmp_path: Path) -> None:
    kubernetes.stages[:] = [FAILED]
    code, said = start(kubernetes.url, tmp_path)
    assert code == 1
    assert "exit code 1" in said


def test_start_night_bears_a_server_that_stumbles(kubernetes: Kubernetes, tmp_path: Path) -> None:
    kubernetes.stumble_after(2, [503, 429])
    code, said = start(kubernetes.url, tmp_path)
    assert code == 0, said
    assert said.count("asking again") == 2


def test_start_night_without_a_server_asks_to_be_started_again(tmp_path: Path) -> None:
    assert start("http://127.0.0.1:9", tmp_path)[0] == 3


def test_start_night_without_a_template_says_so(kubernetes: Kubernetes, tmp_path: Path) -> None:
    code, said = start(kubernetes.url, tmp_path, template="seedcorn-nigth")
    assert code == 1
    assert "404" in said
    assert "seedcorn-nigth" in said
