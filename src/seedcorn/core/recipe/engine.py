"""The recipe's engine: which one writes, how it samples, and what it is told about its machine.

A kind of engine is a field of `EngineSpec` that holds its settings; they say all that the core must
know of it.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe.fields import operational, semantic
from seedcorn.core.recipe.reasoning import ReasoningSpec

AUTO = "auto"
STYLES = ("words", "sentences")


@dataclass(frozen=True)
class SamplingSpec:
    """Sampling parameters; None takes the model's own default, which is resolved and stored."""

    max_tokens: int = semantic(256, at_least=1)
    min_tokens: int = semantic(0, at_least=0)
    temperature: float | None = semantic(None, at_least=0, at_most=100)
    top_p: float | None = semantic(None, above=0, at_most=1)
    top_k: int | None = semantic(None, at_least=-1)
    min_p: float | None = semantic(None, at_least=0, at_most=1)
    repetition_penalty: float | None = semantic(None, above=0)
    presence_penalty: float | None = semantic(None, at_least=-2, at_most=2)
    frequency_penalty: float | None = semantic(None, at_least=-2, at_most=2)
    stop: list[str] = field(default_factory=list)


class EngineSettings(ABC):
    """What the line must know of an engine, whichever it is."""

    needs_model: ClassVar[bool] = True
    loads_model: ClassVar[bool] = False
    """It loads the weights itself, in processes of its own."""

    @property
    @abstractmethod
    def capacity(self) -> int:
        """Sequences that one engine runs at once."""

    @abstractmethod
    def check(self, sampling: SamplingSpec, strata: Sequence[str], samples: int) -> None:
        """Raises RecipeError for settings that cannot work for so many samples of these prompts."""


@dataclass(frozen=True)
class VllmSpec(EngineSettings):
    """Settings of `AsyncEngineArgs`. `device: auto` picks the GPU where there is one, else the CPU."""

    device: str = operational("auto")
    dtype: str = "auto"
    """On a CPU `auto` is bfloat16 where the processor computes in it, else float32."""
    revision: str = ""
    max_model_len: int = semantic(2048, at_least=2)
    tensor_parallel: int = operational(1, at_least=1)
    """GPUs that share every layer of one engine, on one node."""
    pipeline_parallel: int = operational(1, at_least=1)
    """Groups of layers of one engine, each on GPUs of its own, perhaps on other nodes."""
    executor: str = operational("auto")
    """mp: all GPUs of an engine on one node; ray: also across nodes; auto: ray for pipelines."""
    max_num_seqs: int = operational(64, at_least=1)
    max_num_batched_tokens: int = operational(0, at_least=0)
    """0: 4096 on the CPU, vLLM's own choice for offline use on a GPU."""
    gpu_memory_utilization: float = operational(0.9, above=0, at_most=1)
    kv_cache_bytes: int = operational(0, at_least=0)
    """0: 1 GiB on the CPU, vLLM's own choice on a GPU."""
    enforce_eager: bool = operational(False)
    quantization: str = ""
    trust_remote_code: bool = operational(False)
    """Run Python code that comes with the model: only if $SEEDCORN_TRUST_REMOTE_CODE, where the
    engine runs, names this very model."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Further engine arguments by vLLM's own names."""

    loads_model: ClassVar[bool] = True

    @property
    def capacity(self) -> int:
        """Sequences that one engine runs at once."""
        return self.max_num_seqs

    def check(self, sampling: SamplingSpec, strata: Sequence[str], samples: int) -> None:
        """Raises RecipeError for an unknown device, or where no prompt would fit."""
        if self.device not in ("auto", "cpu", "cuda"):
            raise RecipeError(f"engine.vllm.device: {self.device!r} is not among auto, cpu, cuda")
        if sampling.max_tokens >= self.max_model_len:
            raise RecipeError(
                f"engine.sampling.max_tokens: {sampling.max_tokens} leaves no room for a prompt in "
                f"engine.vllm.max_model_len {self.max_model_len}"
            )


@dataclass(frozen=True)
class SimulatedSpec(EngineSettings):
    """The engine without a model: deterministic text with planted, known flaws.

    Rates are shares of samples and decided by a hash of the sample id; they must sum to at most 1.
    """

    words: int = 80
    vocabulary: int = 20_000
    duplicate_rate: float = 0.0
    near_duplicate_rate: float = 0.0
    near_duplicate_edits: float = semantic(0.02, at_least=0, at_most=1)
    """Share of words replaced in a planted near duplicate."""
    seed_copy_rate: float = 0.0
    """Share of samples that repeat their first parent verbatim."""
    rejection_rate: float = 0.0
    failure_rate: float = 0.0
    style: str = "words"
    """words: uniform draws, whose order says nothing; sentences: a grammar, whose order does."""
    template_rate: float = 0.0
    """Share of samples that are one of `template_instances` texts, drawn uniformly."""
    template_instances: int = 20_000
    template_slots: int = 0
    """Words in which instances of the template differ; 0: they share no text at all, or after a
    collapse their first eight words."""
    paraphrase_rate: float = 0.0
    """Share of samples that tell their first parent again, `paraphrase_swap` of the words replaced
    by a fixed synonym each; fresh text where there is no parent."""
    paraphrase_swap: float = 0.3
    salad_rate: float = 0.0
    """Share of samples that are uniform draws of words, whatever the style."""
    collapse_from: int = -1
    """Plan index from which on every sample of `collapse_stratum` fills the one template; -1: never."""
    collapse_stratum: str = ""
    """Empty: all strata."""
    latency_s: float = operational(0.0, at_least=0)
    latency_jitter: float = operational(0.0, at_least=0)
    concurrency: int = operational(256)
    fail_start: bool = operational(False)
    poison: list[int] = operational(factory=list)
    """Plan indices whose request kills the engine process, for rehearsing supervision."""

    needs_model: ClassVar[bool] = False

    @property
    def capacity(self) -> int:
        """Sequences that one engine runs at once."""
        return self.concurrency

    @property
    def rates(self) -> tuple[tuple[str, float], ...]:
        """The planted kinds and their shares of all samples; the rest is fresh.

        In this order: a kind that a spec does not plant moves no other.
        """
        return (
            ("duplicate", self.duplicate_rate),
            ("near_duplicate", self.near_duplicate_rate),
            ("seed_copy", self.seed_copy_rate),
            ("rejected", self.rejection_rate),
            ("failed", self.failure_rate),
            ("template", self.template_rate),
            ("paraphrase", self.paraphrase_rate),
            ("salad", self.salad_rate),
        )

    def check(self, sampling: SamplingSpec, strata: Sequence[str], samples: int) -> None:
        """Raises RecipeError for settings that plant nothing sensible."""
        for kind, rate in self.rates:
            if not 0.0 <= rate <= 1.0:
                raise RecipeError(
                    f"engine.simulated: the rate of {kind} is {rate}, not within [0, 1]"
                )
        if (total := sum(rate for _, rate in self.rates)) > 1.0 + 1e-9:
            raise RecipeError(f"engine.simulated: the planted rates sum to {total:g}, more than 1")
        self._check_texts()
        if self.collapse_stratum and self.collapse_stratum not in strata:
            raise RecipeError(
                f"engine.simulated.collapse_stratum: {self.collapse_stratum!r} is none of the "
                f"prompts {', '.join(strata)}"
            )
        for index in self.poison:
            if not 0 <= index < samples:
                raise RecipeError(
                    f"engine.simulated.poison: index {index} is outside 0 to {samples - 1}"
                )

    def _check_texts(self) -> None:
        least = {"words": 1, "vocabulary": 2, "concurrency": 1, "template_instances": 1}
        for name, bound in (least | {"template_slots": 0, "collapse_from": -1}).items():
            if (value := getattr(self, name)) < bound:
                raise RecipeError(f"engine.simulated.{name} is {value}; it takes at least {bound}")
        if self.style not in STYLES:
            known = ", ".join(STYLES)
            raise RecipeError(f"engine.simulated.style is {self.style!r}; it is one of {known}")
        if not 0.0 <= self.paraphrase_swap <= 1.0:
            raise RecipeError(
                f"engine.simulated.paraphrase_swap is {self.paraphrase_swap}, not within [0, 1]"
            )
        slots = self.template_slots
        if slots > self.words:
            raise RecipeError(
                f"engine.simulated.template_slots is {slots}, more than the {self.words} words"
            )
        # Beyond 64 slots any two words suffice, and the power need not be computed.
        if 0 < slots < 64 and self.vocabulary**slots < self.template_instances:
            raise RecipeError(
                f"engine.simulated.template_instances is {self.template_instances}, but {slots} "
                f"slots and {self.vocabulary} words make only {self.vocabulary**slots} different "
                "ones"
            )


@dataclass(frozen=True)
class EndpointSpec(EngineSettings):
    """An OpenAI-compatible endpoint that already runs. The key is read from the environment."""

    base_url: str = operational("")
    api_key_env: str = operational("OPENAI_API_KEY")
    timeout_s: float = operational(600.0, above=0)
    max_concurrency: int = operational(64, at_least=1)
    send_seed: bool = True

    @property
    def capacity(self) -> int:
        """Sequences that one engine runs at once."""
        return self.max_concurrency

    def check(self, sampling: SamplingSpec, strata: Sequence[str], samples: int) -> None:
        """Raises RecipeError for what is no URL."""
        if not re.match(r"https?://[^/]", self.base_url):
            raise RecipeError("engine.openai.base_url: needs a URL such as http://host:8000/v1")


@dataclass(frozen=True)
class EngineSpec:
    """Which engine writes, and how many."""

    kind: str = "vllm"
    """vllm | simulated | openai"""
    model: str = ""
    workers: int | str = operational(1)
    """Engines that run at once; `auto`: as many as the cluster holds and the recipe keeps busy,
    while nodes come and go. Where an autoscaler adds nodes for what waits, say how many."""
    cpus_per_worker: float = operational(1.0, at_least=0)
    gpus_per_worker: float = operational(0.0, at_least=0)
    """GPUs of each of an engine's parallel parts; a fraction lets small models share one."""
    node_labels: dict[str, str] = operational(factory=dict)
    """Labels a node must carry to run an engine, in Ray's syntax: `{ray.io/accelerator-type: L4}`."""
    prefer_labels: dict[str, str] = operational(factory=dict)
    """Labels of the nodes to use first, such as spot ones; where they are full, any other."""
    threads: int = operational(0, at_least=0)
    """Threads of a CPU engine; 0: the machine's cores shared among the workers, or with `auto`
    the cores of one worker."""
    sampling: SamplingSpec = field(default_factory=SamplingSpec)
    chat_template_kwargs: dict[str, Any] = field(default_factory=dict)
    reasoning: ReasoningSpec = field(default_factory=ReasoningSpec)
    vllm: VllmSpec = field(default_factory=VllmSpec)
    simulated: SimulatedSpec = field(default_factory=SimulatedSpec)
    openai: EndpointSpec = field(default_factory=EndpointSpec)

    @property
    def settings(self) -> EngineSettings:
        """Those of the kind that writes."""
        if self.kind not in KINDS:
            raise RecipeError(f"engine.kind: {self.kind!r} is not among {', '.join(KINDS)}")
        return getattr(self, self.kind)

    @property
    def scales(self) -> bool:
        """The number of workers follows the cluster."""
        return self.workers == AUTO

    @property
    def least_workers(self) -> int:
        """Workers to plan with: their number, or one where the cluster decides."""
        return self.workers if isinstance(self.workers, int) else 1

    @property
    def devices(self) -> int:
        """Parallel parts of one engine, each on `gpus_per_worker` GPUs."""
        return self.vllm.tensor_parallel * self.vllm.pipeline_parallel

    @property
    def spans_nodes(self) -> bool:
        """The parts of one engine need not lie on one node."""
        if self.devices == 1:
            return False
        if self.vllm.executor == AUTO:
            return self.vllm.pipeline_parallel > 1
        return self.vllm.executor == "ray"


KINDS = tuple(
    name for name, value in vars(EngineSpec()).items() if isinstance(value, EngineSettings)
)
"""Every kind of engine."""
