"""A model's files on this machine, read without loading it: is all of it there, and how large is it?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.preflight.model_files import bytes_described, context, indexed_files
from seedcorn.core.recipe import EngineSpec

INDEX = "model.safetensors.index.json"
MAX_JSON = 64 << 20
"""Bytes of a config, an index or a header; what is longer is something else."""
NO_WEIGHTS = ("dummy", "gguf", "bitsandbytes")
"""Formats whose files are none of `*.safetensors`, or are not needed."""
LONGER = "VLLM_ALLOW_LONG_MAX_MODEL_LEN"
"""Where the operator lets vLLM take a context that the model was not made for."""


def require_whole(folder: Path, spec: EngineSpec, environment: Mapping[str, str]) -> None:
    """Raises EngineUnavailable for a model that vLLM would refuse after a minute."""
    most, asked = context(read_config(folder)), spec.vllm.max_model_len
    longer_allowed = environment.get(LONGER, "0") not in ("", "0")
    if most and asked > most and not longer_allowed:
        raise EngineUnavailable(
            f"engine.vllm.max_model_len: {asked:,} asked for, {most:,} in {folder / 'config.json'}; "
            f"set engine.vllm.max_model_len={most} or less"
        )
    if spec.vllm.extra.get("load_format") not in NO_WEIGHTS:
        weights(folder)


def read_config(folder: Path) -> dict[str, Any]:
    """`config.json`; raises EngineUnavailable."""
    return _object(folder / "config.json")


def weights(folder: Path) -> list[Path]:
    """The files of the weights, all of them there and whole; raises EngineUnavailable."""
    if (folder / INDEX).is_file():
        named = [folder / name for name in indexed_files(_object(folder / INDEX))]
    else:
        named = sorted(folder.glob("*.safetensors"))
    if not named:
        raise EngineUnavailable(f"{folder} holds no weights in safetensors{_other(folder)}")
    missing = [path.name for path in named if not path.is_file()]
    if missing:
        raise EngineUnavailable(
            f"{len(missing)} of {len(named)} files that {INDEX} names are not there: "
            f"{', '.join(missing[:5])}"
        )
    for path in named:
        _refuse_incomplete(path)
    return named


def _refuse_incomplete(path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MAX_JSON):
            raise EngineUnavailable(
                f"{path.name} is no safetensors file, or cut off at {size} bytes"
            )
        wanted = 8 + length + bytes_described(_parsed(file.read(length), path))
    if size < wanted:
        raise EngineUnavailable(f"{path.name} is cut off: {size:,} of {wanted:,} bytes are there")


def _object(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return _parsed(file.read(MAX_JSON), path)
    except OSError as problem:
        raise EngineUnavailable(f"{path} cannot be read: {problem.strerror}") from problem


def _parsed(data: bytes, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise EngineUnavailable(f"{path.name} is not JSON: {problem}") from problem
    if not isinstance(found, dict):
        raise EngineUnavailable(f"{path.name} is not a JSON object")
    return found


def _other(folder: Path) -> str:
    pickles = [path.name for path in folder.glob("*.bin")] + [p.name for p in folder.glob("*.pt")]
    return f"; {pickles[0]} is a pickle, which can run code and is never loaded" if pickles else ""
