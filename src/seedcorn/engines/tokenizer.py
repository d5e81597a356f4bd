"""The model's own tokenizer and chat template, where they lie on this machine: nothing is downloaded.

Loaded by `plan` and `doctor`, to know before a run what the engine would make of a prompt. Code
that comes with a model is never run.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seedcorn.core.engine import Message
from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.generate.prompts import Rendered
from seedcorn.core.recipe import EngineSpec
from seedcorn.engines.vllm_engine import special_tokens
from seedcorn.engines.vllm_setup import is_local

FAST = "tokenizer.json"
FILES = (FAST, "tokenizer.model", "vocab.json", "tekken.json")
"""One of them makes a folder hold a tokenizer."""
_FAILURES = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError)
"""What transformers raises for files that it cannot make a tokenizer of."""


class LocalTokenizer:
    """Counts tokens as the engine would; `tokenizer` is one of transformers."""

    def __init__(self, tokenizer: Any, template_options: Mapping[str, Any]) -> None:
        self._tokenizer = tokenizer
        self._options = {"add_generation_prompt": True} | dict(template_options)
        self.special_tokens = special_tokens(tokenizer)
        """Strings that are control tokens, neutralised inside seed text."""

    @property
    def has_template(self) -> bool:
        """Whether it can render a chat at all."""
        return bool(self._tokenizer.chat_template)

    def chat(self, messages: Sequence[Message]) -> str:
        """A chat as the model reads it; raises EngineUnavailable where the template refuses it."""
        from jinja2 import TemplateError

        turns = [{"role": turn.role, "content": turn.content} for turn in messages]
        try:
            return self._tokenizer.apply_chat_template(turns, tokenize=False, **self._options)
        except (TemplateError, *_FAILURES) as problem:
            raise EngineUnavailable(f"the chat template refuses it: {problem}") from problem

    def count(self, rendered: Rendered) -> int:
        """Tokens of a prompt, chat template included; raises EngineUnavailable as `chat`."""
        if not rendered.messages:
            return len(self._tokenizer(rendered.prompt)["input_ids"])
        text = self.chat(rendered.messages)
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def open_tokenizer(spec: EngineSpec) -> LocalTokenizer:
    """The tokenizer of the recipe's model; raises EngineUnavailable saying how to get it."""
    folder = model_folder(spec.model, spec.vllm.revision, os.environ)
    if folder is None or not any((folder / name).is_file() for name in FILES):
        raise EngineUnavailable(f"no tokenizer at hand; {_remedy(spec.model, folder)}")
    try:
        return LocalTokenizer(_loaded(folder), spec.chat_template_kwargs)
    except ModuleNotFoundError as missing:
        raise EngineUnavailable(
            f"no tokenizer at hand: {missing.name} is not installed; pip install transformers"
        ) from missing
    except _FAILURES as problem:
        first = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise EngineUnavailable(f"the tokenizer in {folder} cannot be loaded: {first}") from problem


def model_folder(model: str, revision: str, environment: Mapping[str, str]) -> Path | None:
    """Where a model lies on this machine: its own folder, or its snapshot in the hub's cache."""
    if not model:
        return None
    if is_local(model):
        return Path(model) if Path(model).is_dir() else None
    cache = hub_cache(environment) / f"models--{model.replace('/', '--')}"
    commit = revision or "main"
    reference = cache / "refs" / commit
    if reference.is_file():
        commit = reference.read_text(encoding="ascii", errors="replace").strip()
    snapshot = cache / "snapshots" / commit
    return snapshot if snapshot.is_dir() else None


def hub_cache(environment: Mapping[str, str]) -> Path:
    """The model hub's cache folder, as its own library finds it."""
    named = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE")
    caches = Path(environment.get("XDG_CACHE_HOME") or "~/.cache")
    home = Path(environment.get("HF_HOME") or caches / "huggingface")
    return Path(named or home / "hub").expanduser()


def _remedy(model: str, folder: Path | None) -> str:
    if not model:
        return "name the model in engine.model"
    if folder is not None:
        return f"{folder} has none of {', '.join(FILES)}"
    if is_local(model):
        return f"{model} is no folder here"
    return f"fetch it once: hf download {model} --include 'token*' '*.json' '*.jinja'"


def _loaded(folder: Path) -> Any:
    """By the class that needs no torch where the folder allows it: seconds less."""
    if (folder / FAST).is_file():
        from transformers import PreTrainedTokenizerFast

        return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
