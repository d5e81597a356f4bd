"""What a model's own files say, as values: architecture, context, which weights there must be."""

from collections.abc import Mapping
from typing import Any

_CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
_SCALED_ALREADY = ("su", "longrope", "llama3", "yarn")
"""Kinds of RoPE scaling whose models name the scaled length."""
SIXTEEN_BITS = ("bfloat16", "float16")


def architecture(config: Mapping[str, Any]) -> str:
    """The class that the model was saved from; empty where it does not say."""
    named = config.get("architectures")
    return str(named[0]) if isinstance(named, list) and named else ""


def context(config: Mapping[str, Any]) -> int:
    """Tokens that the model was made for; 0 where it does not say."""
    text = config.get("text_config")
    known = dict(config) | (text if isinstance(text, dict) else {})
    lengths = [known[key] for key in _CONTEXT_KEYS if isinstance(known.get(key), int)]
    if isinstance(longest := known.get("model_max_length"), int):  # As Command-R: what it means.
        lengths = [longest]
    return int(min(lengths) * _stretch(known)) if lengths else 0


def saved_in_16_bits(config: Mapping[str, Any]) -> bool:
    """Whether the weights take two bytes a number on disk."""
    return (config.get("dtype") or config.get("torch_dtype")) in SIXTEEN_BITS


def indexed_files(index: Mapping[str, Any]) -> list[str]:
    """The files that an index of weights names, sorted; empty for what is no index."""
    names = index.get("weight_map")
    return sorted(set(map(str, names.values()))) if isinstance(names, dict) else []


def bytes_described(header: Mapping[str, Any]) -> int:
    """Bytes of data that the header of a safetensors file describes."""
    offsets = [entry.get("data_offsets") for entry in header.values() if isinstance(entry, dict)]
    ends = [
        pair[1]
        for pair in offsets
        if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[1], int)
    ]
    return max(ends, default=0)


def _stretch(config: Mapping[str, Any]) -> float:
    scaling = config.get("rope_scaling") or config.get("rope_parameters")
    if not isinstance(scaling, dict):
        return 1.0
    kind = scaling.get("rope_type") or scaling.get("type")
    factor = scaling.get("factor")
    return float(factor) if isinstance(factor, int | float) and kind not in _SCALED_ALREADY else 1.0
