"""`seedcorn submit`: what it refuses before it asks any cluster, and the command for next time."""

import argparse

import pytest

from seedcorn.cli import main
from seedcorn.commands.submit import configure, resubmission
from tests.commands.conftest import write_recipe

NOWHERE = ("--address", "http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["corpus=corpora/x"], "corpora/x is relative"),
        (["corpus=s3://b/x", "engine.vllm.extra.api_key=hunter2"], "engine.vllm.extra.api_key"),
        (["corpus=s3://me:hunter2@b/x"], "corpus: looks like a secret"),
        (["corpus=s3://b/x", "sampels=3"], "sampels"),
        (["corpus=s3://b/x", "units.unit=1", "units.batch=1", "samples=1000"], "units.unit"),
    ],
)
def test_submit_refuses_what_cannot_run_there_before_it_connects(tmp_path, words, said, capsys):
    assert main(["submit", write_recipe(tmp_path), *words, *NOWHERE]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "hunter2" not in error


def test_submit_without_a_cluster_asks_which(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)
    assert main(["submit", write_recipe(tmp_path), "corpus=s3://b/x"]) == 2
    assert "which cluster? Give --address http://HEAD:8265" in capsys.readouterr().err


def test_submit_to_a_dead_address_says_so_with_the_port_to_try(tmp_path, capsys):
    assert main(["submit", write_recipe(tmp_path), "corpus=s3://b/x", *NOWHERE]) == 1
    error = capsys.readouterr().err
    assert error.startswith("seedcorn: cannot reach Ray's job server at http://127.0.0.1:1 (")
    assert "8265" in error


def test_resubmission_repeats_what_the_next_attempt_needs_but_no_takeover():
    parser = argparse.ArgumentParser()
    configure(parser)
    words = ["my recipe.yaml", "samples=4", "takeover=true", "--follow", "--drain-s", "90"]
    arguments = parser.parse_intermixed_args([*words, "--python", "/opt/bin/python"])
    assert resubmission(arguments, "http://head:8265") == (
        "seedcorn submit 'my recipe.yaml' samples=4 --address http://head:8265 --drain-s 90.0 "
        "--python /opt/bin/python"
    )
