"""Where an actor's log lines go: one handler, however many generations it lives through."""

import json
import logging
from collections.abc import Iterator

import pytest

from seedcorn.runtime.log_setup import environment, log_here

LOGGER = logging.getLogger("seedcorn.test_log_setup")


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """The package's logger, as it was before."""
    root = logging.getLogger("seedcorn")
    before = list(root.handlers), root.level, root.propagate
    yield root
    root.handlers[:], root.level, root.propagate = before


def test_actor_logs_json_about_its_newest_generation_once_a_line(monkeypatch, capsys):
    monkeypatch.setenv("SEEDCORN_LOG", "json")
    log_here("file:///corn", 1)
    log_here("file:///corn", 2)

    LOGGER.info("hello")

    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["message"], told["corpus"], told["generation"]) == ("hello", "file:///corn", 2)
    assert environment() == {"SEEDCORN_LOG": "json"}


def test_actor_logs_plain_lines_where_nobody_asks_for_json(monkeypatch, capsys):
    monkeypatch.delenv("SEEDCORN_LOG", raising=False)
    log_here("file:///corn", 1)

    LOGGER.info("hello")

    assert capsys.readouterr().err.endswith(" hello\n")
    assert environment() == {}


@pytest.mark.parametrize("form", ["json", "plain"])
def test_secrets_of_the_environment_are_in_no_line_and_no_traceback(form, monkeypatch, capsys):
    monkeypatch.setenv("SEEDCORN_LOG", form)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary/aws+0001")
    monkeypatch.setenv("NIGHT_WEBHOOK", "https://hooks.example.org/canary-0002")
    log_here("file:///corn", 1)

    try:
        raise OSError("PUT with canary/aws+0001 to https://hooks.example.org/canary-0002")
    except OSError:
        LOGGER.exception("read https://me:canary-0003@host/x with %s", "canary/aws+0001")

    told = capsys.readouterr().err
    assert "canary" not in told
    assert "$AWS_SECRET_ACCESS_KEY" in told
    assert "OSError" in told
