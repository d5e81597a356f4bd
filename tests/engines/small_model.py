"""A model's folder in miniature: config, weights without numbers, a tokenizer of words, a template."""

import json
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers

CHATML = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
WITHOUT_SYSTEM = CHATML.replace("in messages", "in messages if m['role'] != 'system'")
REFUSING_SYSTEM = (
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}" + CHATML
)
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "max_position_embeddings": 4096,
    "dtype": "bfloat16",
}
WEIGHT_BYTES = 4096


def write_model(folder: Path, template: str | None = CHATML, **config: object) -> Path:
    """Writes the folder and returns it. A token is a word or a mark between words."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config), encoding="utf-8")
    write_weights(folder / "model.safetensors")
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(["<|start|>", "<|end|>"])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast"}
    if template is not None:
        settings["chat_template"] = template
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def write_weights(path: Path, data: int = WEIGHT_BYTES) -> None:
    """A safetensors file that describes WEIGHT_BYTES and holds `data` of them."""
    tensor = {"dtype": "BF16", "shape": [WEIGHT_BYTES // 2], "data_offsets": [0, WEIGHT_BYTES]}
    header = json.dumps({"__metadata__": {"format": "pt"}, "weight": tensor}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(data))
