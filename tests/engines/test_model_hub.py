"""A hub that certainly cannot give a model, told from one that may."""

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from seedcorn.core.errors import EngineUnavailable
from seedcorn.engines.model_hub import require_reachable

MODEL = "models/no-such"


class _Refusing(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_error(401)

    def log_message(self, format, *args):
        pass


@pytest.fixture
def closed_port():
    """A port of loopback that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_model_that_is_nowhere_is_refused_offline_with_where_was_looked(variable, tmp_path):
    environment = {variable: "1", "HF_HOME": str(tmp_path)}
    with pytest.raises(EngineUnavailable) as refusal:
        require_reachable(MODEL, environment)
    said = str(refusal.value)
    assert said.startswith(f"engine.model: there is no folder {MODEL} (looked from ")
    assert f"not in the hub's cache {tmp_path / 'hub'}, and {variable} is set; correct" in said
    assert said.endswith(f"hf download {MODEL}")
    assert "\n" not in said


@pytest.mark.parametrize("name", ["127.0.0.1", "no-such-hub.invalid"])
def test_model_of_a_hub_without_a_connection_is_refused(name, closed_port):
    with pytest.raises(EngineUnavailable, match=f"{name}:{closed_port} cannot be reached: "):
        require_reachable(MODEL, {"HF_ENDPOINT": f"http://{name}:{closed_port}"})


def test_hub_that_answers_is_the_engines_to_judge():
    with HTTPServer(("127.0.0.1", 0), _Refusing) as server:
        Thread(target=server.handle_request, daemon=True).start()
        require_reachable(MODEL, {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}"})


def test_other_hubs_are_not_asked():
    require_reachable(MODEL, {"HF_HUB_OFFLINE": "1", "VLLM_USE_MODELSCOPE": "true"})
