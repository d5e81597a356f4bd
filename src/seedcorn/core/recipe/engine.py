"""The recipe's engine: which one writes, how it samples, and what it is told about its machine."""

from dataclasses import dataclass, field
from typing import Any

from seedcorn.core.recipe.fields import operational

AUTO = "auto"


@dataclass(frozen=True)
class SamplingSpec:
    """Sampling parameters; None takes the model's own default, which is resolved and stored."""

    max_tokens: int = 256
    min_tokens: int = 0
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class VllmSpec:
    """Settings of `AsyncEngineArgs`. `device: auto` picks the GPU where there is one, else the CPU."""

    device: str = operational("auto")
    dtype: str = "auto"
    """On a CPU `auto` is bfloat16 where the processor computes in it, else float32."""
    revision: str = ""
    max_model_len: int = 2048
    tensor_parallel: int = operational(1)
    """GPUs that share every layer of one engine, on one node."""
    pipeline_parallel: int = operational(1)
    """Groups of layers of one engine, each on GPUs of its own, perhaps on other nodes."""
    executor: str = operational("auto")
    """mp: all GPUs of an engine on one node; ray: also across nodes; auto: ray for pipelines."""
    max_num_seqs: int = operational(64)
    max_num_batched_tokens: int = operational(0)
    """0: 4096 on the CPU, vLLM's own choice for offline use on a GPU."""
    gpu_memory_utilization: float = operational(0.9)
    kv_cache_bytes: int = operational(0)
    """0: 1 GiB on the CPU, vLLM's own choice on a GPU."""
    enforce_eager: bool = operational(False)
    quantization: str = ""
    trust_remote_code: bool = operational(False)
    """Run Python code that comes with the model: only if $SEEDCORN_TRUST_REMOTE_CODE, where the
    engine runs, names this very model."""
    extra: dict[str, Any] = field(default_factory=dict)
    """Further engine arguments by vLLM's own names."""


@dataclass(frozen=True)
class SimulatedSpec:
    """The engine without a model: deterministic text with planted, known flaws.

    Rates are shares of samples and decided by a hash of the sample id; they must sum to at most 1.
    """

    words: int = 80
    vocabulary: int = 20_000
    duplicate_rate: float = 0.0
    near_duplicate_rate: float = 0.0
    near_duplicate_edits: float = 0.02
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
    latency_s: float = operational(0.0)
    latency_jitter: float = operational(0.0)
    concurrency: int = operational(256)
    fail_start: bool = operational(False)
    poison: list[int] = operational(factory=list)
    """Plan indices whose request kills the engine process, for rehearsing supervision."""


@dataclass(frozen=True)
class EndpointSpec:
    """An OpenAI-compatible endpoint that already runs. The key is read from the environment."""

    base_url: str = operational("")
    api_key_env: str = operational("OPENAI_API_KEY")
    timeout_s: float = operational(600.0)
    max_concurrency: int = operational(64)
    send_seed: bool = True


@dataclass(frozen=True)
class EngineSpec:
    """Which engine writes, and how many."""

    kind: str = "vllm"
    """vllm | simulated | openai"""
    model: str = ""
    workers: int | str = operational(1)
    """Engines that run at once; `auto`: as many as the cluster holds and the recipe keeps busy,
    while nodes come and go. Where an autoscaler adds nodes for what waits, say how many."""
    cpus_per_worker: float = operational(1.0)
    gpus_per_worker: float = operational(0.0)
    """GPUs of each of an engine's parallel parts; a fraction lets small models share one."""
    node_labels: dict[str, str] = operational(factory=dict)
    """Labels a node must carry to run an engine, in Ray's syntax: `{ray.io/accelerator-type: L4}`."""
    prefer_labels: dict[str, str] = operational(factory=dict)
    """Labels of the nodes to use first, such as spot ones; where they are full, any other."""
    threads: int = operational(0)
    """Threads of a CPU engine; 0: the machine's cores shared among the workers, or with `auto`
    the cores of one worker."""
    sampling: SamplingSpec = field(default_factory=SamplingSpec)
    chat_template_kwargs: dict[str, Any] = field(default_factory=dict)
    vllm: VllmSpec = field(default_factory=VllmSpec)
    simulated: SimulatedSpec = field(default_factory=SimulatedSpec)
    openai: EndpointSpec = field(default_factory=EndpointSpec)

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
