"""One message, at most once, within a time limit, and never the URL in a log line."""

import logging
import socket

import pytest

from seedcorn.runtime.jobs.webhook import notify
from tests.servers.listener import listening

__all__ = ["listening"]

MESSAGE = {"text": "night 2026-11-23: +41.2 k uvt", "night": "2026-11-23"}


@pytest.mark.parametrize("status", [200, 202, 204])
def test_notify_posts_the_message_as_json(listening, status):
    server, url = listening(status)
    assert notify(url, MESSAGE)
    assert server.taken == [("/hooks/s3cr3t", "application/json", MESSAGE)]


@pytest.mark.parametrize("status", [302, 403, 404, 500, 503])
def test_notify_refused_is_a_warning_without_the_url(listening, caplog, status):
    elsewhere, other = listening(200)
    server, url = listening(status, ("Location", other))
    with caplog.at_level(logging.WARNING):
        assert not notify(url, MESSAGE)
    assert len(server.taken) == 1
    assert elsewhere.taken == []
    assert f"127.0.0.1 did not accept the summary (HTTP {status})" in caplog.text
    assert "s3cr3t" not in caplog.text


def test_notify_gives_up_on_a_listener_that_never_answers(caplog):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/s3cr3t"
        assert not notify(url, MESSAGE, timeout_s=0.2)
    assert not notify(url, MESSAGE, timeout_s=0.2)
    assert len(caplog.records) == 2
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize(
    "url", ["", "s3cr3t", "file:///etc/s3cr3t", "ftp://host/s3cr3t", "http://[s3cr3t", "https://"]
)
def test_notify_anything_but_a_web_address_is_never_opened(caplog, url):
    assert not notify(url, MESSAGE)
    assert "is not an http(s) URL" in caplog.text
    assert "s3cr3t" not in caplog.text
