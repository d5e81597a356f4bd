"""The hub that models come from, where it is certain that it cannot give one: nothing is downloaded."""

import os
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping

from seedcorn.core.errors import EngineUnavailable
from seedcorn.engines.tokenizer import hub_cache

HUB = "https://huggingface.co"
ANSWER_S = 5.0
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_YES = ("1", "ON", "YES", "TRUE")


def require_reachable(model: str, environment: Mapping[str, str]) -> None:
    """Raises EngineUnavailable where a model that is not in the cache cannot be fetched either.

    Only for what waiting does not mend: a slow hub, and one that refuses, are the engine's to judge.
    """
    if environment.get("VLLM_USE_MODELSCOPE", "").upper() in _YES:
        return
    off = [name for name in OFFLINE if environment.get(name, "").upper() in _YES]
    address = environment.get("HF_ENDPOINT") or HUB
    why = f"{off[0]} is set" if off else _unreachable(address)
    if why:
        raise EngineUnavailable(
            f"engine.model: there is no folder {model} (looked from {os.getcwd()}), it is not in the "
            f"hub's cache {hub_cache(environment)}, and {why}; correct the path, or fetch the model "
            f"where there is a network: hf download {model}"
        )


def _unreachable(address: str) -> str:
    """Why no connection can be made at all; empty where one can, or nobody knows."""
    try:
        request = urllib.request.Request(address, method="HEAD")
        with urllib.request.urlopen(request, timeout=ANSWER_S):
            return ""
    except urllib.error.URLError as problem:
        reason = problem.reason
    except (OSError, ValueError):
        return ""
    if isinstance(reason, socket.gaierror | ConnectionRefusedError):
        return f"{urllib.parse.urlsplit(address).netloc} cannot be reached: {reason.strerror}"
    return ""
