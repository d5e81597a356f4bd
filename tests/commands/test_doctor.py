"""`seedcorn doctor`: what may carry a corpus passes, what may not is refused, by name and "
"advice."""

import json
import os
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from seedcorn.cli import main
from seedcorn.commands.doctor.machine import environment, versions
from seedcorn.commands.doctor.ray import ray
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.conformance.conformance import require_safe
from seedcorn.storage.stores.memory import MemoryStore
from seedcorn.storage.stores.opening import open_store
from tests.runtime.processes import group_ends
from tests.servers.rclone_server import rclone

REPOSITORY = Path(__file__).parents[2]
RECIPE = str(REPOSITORY / "pipelines" / "simulated.yaml")


@pytest.fixture(autouse=True)
def quiet_home(tmp_path, monkeypatch):
    """A home without a Ray token, whatever the machine's own says."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def examined(capsys, *words):
    """(exit code, level by check, details by check) of `doctor --json`."""
    code = main(["doctor", "--json", *words])
    report = json.loads(capsys.readouterr().out)
    found = [finding for group in report["groups"] for finding in group["findings"]]
    assert report["ok"] is (code == 0)
    return code, {f["check"]: f["level"] for f in found}, {f["check"]: f for f in found}


def test_doctor_of_a_folder_finds_nothing_and_leaves_nothing(tmp_path, capsys):
    code, levels, details = examined(capsys, str(tmp_path / "corpus"))
    assert code == 0
    assert {name for name, level in levels.items() if level == "fails"} == set()
    assert len([name for name in levels if name.startswith("put-if-absent")]) == 11
    assert "hard links" in " ".join(levels)
    assert details["requests are answered well within the deadline"]["detail"].startswith("medians")
    assert [p for p in (tmp_path / "corpus").rglob("*") if p.is_file()] == []


def test_doctor_as_text_names_every_check_and_what_to_do(tmp_path, capsys):
    store = MemoryStore(f"doctor-{tmp_path}", conditional=False)
    assert main(["doctor", store.uri]) == 0  # A handle of its own keeps the condition.
    told = capsys.readouterr().out
    assert "  ok       put-if-absent refuses an existing object" in told
    assert "FAILS" not in told


@pytest.mark.s3
@pytest.mark.timeout(600)
def test_doctor_of_seaweedfs_passes(seaweedfs_server, s3_uri, capsys):
    uri = s3_uri()
    words = (uri, f"store.endpoint={seaweedfs_server.endpoint}", "--rounds", "1")
    code, levels, details = examined(capsys, *words)
    failing = {name: details[name]["detail"] for name, level in levels.items() if level == "fails"}
    assert (code, failing) == (0, {})
    assert levels["the clocks of server and client agree"] == "ok"
    assert levels["a wrong checksum is refused"] == "ok"
    store = open_store(uri, StoreSpec(endpoint=seaweedfs_server.endpoint))
    assert list(store.list("")) == []
    require_safe(store, StoreSpec())


@pytest.mark.s3
@pytest.mark.timeout(600)
def test_doctor_of_a_store_that_ignores_the_condition_refuses_it(tmp_path, capsys, monkeypatch):
    with rclone(tmp_path) as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        # Each of its own faults is asked for until the deadline.
        words = [f"s3://{server.bucket}/corpus", f"store.endpoint={server.endpoint}"]
        words += ["store.deadline_s=3", "--rounds", "1"]
        code, levels, details = examined(capsys, *words)
        assert code == 1
        assert levels["put-if-absent refuses an existing object"] == "fails"
        assert levels["put-if-absent has one winner among 8 at once"] == "fails"
        refusal = details["this store can hold a corpus"]["detail"]
        assert "does not keep put-if-absent" in refusal
        assert "two drivers could both believe they own the log" in refusal
        assert "store.single_writer=true" in refusal

        code, levels, details = examined(capsys, *words, "store.single_writer=true")
        creating = {level for name, level in levels.items() if name.startswith("put-if-absent")}
        assert "fails" not in creating
        assert levels["this store can hold a corpus"] == "warning"
        others = {name for name, level in levels.items() if level == "fails"}
        assert code == (1 if others else 0)


def test_doctor_of_a_place_that_cannot_be_written_says_that_it_could_not_check(tmp_path, capsys):
    (tmp_path / "file").write_text("not a folder")
    assert main(["doctor", str(tmp_path / "file" / "corpus")]) == 2
    assert "could not check" in capsys.readouterr().err


def test_doctor_of_a_server_that_never_answers_ends_with_the_deadline(capsys, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with socket.create_server(("127.0.0.1", 0)) as stalled:
        endpoint = f"store.endpoint=http://127.0.0.1:{stalled.getsockname()[1]}"
        code = main(["doctor", "s3://bucket/corpus", endpoint, "store.deadline_s=2"])
    assert code == 2
    assert "could not check: s3://bucket/corpus: cannot write probe-" in capsys.readouterr().err


def test_doctor_with_a_recipe_starts_its_engine_and_weighs_what_it_grows(tmp_path, capsys):
    corpus = str(tmp_path / "corpus")
    code, levels, details = examined(
        capsys, "--recipe", RECIPE, "--engine", f"corpus={corpus}", "samples=64"
    )
    assert code == 0
    assert levels["the engine starts and writes a sample"] == "ok"
    assert "words in" in details["the engine starts and writes a sample"]["detail"]
    assert "documents" in details["the dedup index fits in memory"]["detail"]
    assert levels["the corpus fits on the disk"] == "ok"
    assert not Path(corpus).exists()


@pytest.mark.vllm
@pytest.mark.long
@pytest.mark.timeout(400)
def test_doctor_starts_vllm_on_the_cpu_and_leaves_no_process(tmp_path):
    recipe, model = "pipelines/dry_run.yaml", ".cache/models/SmolLM2-135M-Instruct"
    words = (
        "--recipe",
        recipe,
        "--engine",
        "--json",
        f"corpus={tmp_path}",
        f"engine.model={model}",
    )
    command = [sys.executable, "-m", "seedcorn.cli", "doctor", *words]
    doctor = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    printed, _ = doctor.communicate(timeout=380)
    found = [f for group in json.loads(printed)["groups"] for f in group["findings"]]
    told = {f["check"]: f for f in found}["the engine starts and writes a sample"]
    assert (doctor.returncode, told["level"]) == (0, "ok"), told
    assert "words in" in told["detail"]
    assert group_ends(doctor.pid, 20)


def test_doctor_of_an_engine_that_does_not_answer_fails(capsys):
    words = ("engine.kind=openai", "engine.openai.base_url=http://127.0.0.1:9", "engine.model=m")
    code, levels, _ = examined(capsys, "--recipe", RECIPE, "--engine", *words)
    assert code == 1
    assert levels["the engine starts and writes a sample"] == "fails"


def test_doctor_of_a_recipe_that_is_none_cannot_check(tmp_path, capsys):
    assert main(["doctor", "--recipe", str(tmp_path / "none.yaml")]) == 2
    assert main(["doctor", "--engine"]) == 2
    assert "--recipe" in capsys.readouterr().err


def test_doctor_of_a_lock_file_below_a_floor_fails(tmp_path, capsys):
    (tmp_path / "old.lock").write_text("vllm==0.31.0\n", encoding="utf-8")
    assert main(["doctor", "--lock", str(tmp_path / "old.lock")]) == 1
    assert "vllm==0.31.0 is below 0.32" in capsys.readouterr().out
    assert main(["doctor", "--lock", str(REPOSITORY / "requirements-cpu.lock")]) == 0


def test_versions_below_a_floor_say_what_to_install():
    [finding] = versions({"jinja2": "3.1.2"})
    assert (finding.level, finding.detail) == ("fails", "3.1.2")
    assert finding.advice.startswith("install jinja2>=3.1.6: CVE-2025-27516")


def test_environment_that_opens_doors_fails():
    name = "VLLM_ALLOW_INSECURE_SERIALIZATION"
    levels = {f.check: f.level for f in environment({name: "1"}, optimised=1)}
    assert levels.pop(f"{name} is not set") == "fails"
    assert levels.pop("Python runs with assertions") == "warning"
    assert set(levels.values()) == {"ok"}
    assert {f.level for f in environment({name: "0"}, optimised=0)} == {"ok"}


@pytest.mark.parametrize(("mode", "level"), [(0o600, "ok"), (0o640, "fails"), (0o604, "fails")])
def test_token_that_others_read_fails(tmp_path, mode, level):
    path = tmp_path / "token"
    path.write_text("secret")
    os.chmod(path, mode)
    found = ray({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}, tmp_path)
    assert [f.level for f in found] == ["ok", level, "ok"]
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("mode", "level"), [("token", "ok"), ("disabled", "fails"), ("", "warning")]
)
def test_mode_without_tokens_is_said(tmp_path, mode, level):
    assert ray({"RAY_AUTH_MODE": mode}, tmp_path)[0].level == level


class Dashboard(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize(("status", "level"), [(401, "ok"), (200, "fails"), (404, "warning")])
def test_cluster_that_answers_without_a_token_fails(tmp_path, status, level):
    with HTTPServer(("127.0.0.1", 0), Dashboard) as server:
        server.status = status
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        found = ray({"RAY_ADDRESS": address}, tmp_path)[2]
        by_port = ray({"RAY_ADDRESS": f"127.0.0.1:{server.server_port}"}, tmp_path)[2]
        server.shutdown()
    assert (found.level, by_port.level) == (level, "warning")
    for gone in (address, address.removeprefix("http://"), "nonsense:x", "http://u:p@127.0.0.1:1"):
        answer = ray({"RAY_ADDRESS": gone}, tmp_path)[2]
        assert answer.level == "fails"
