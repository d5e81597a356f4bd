"""How a model marks what it thinks before it answers, by family, and what a recipe says about it.

Rule `reasoning` number 2 stands on this table: a family that is added or changed needs the next
number, because which samples are split depends on it.
"""

from dataclasses import dataclass

from seedcorn.core.engine import Markers
from seedcorn.core.errors import RecipeError

FAMILIES: dict[str, Markers] = {
    # DeepSeek R1 and V3.1, Qwen 3, QwQ, GLM 4.5, MiniMax M2, Kimi K2, OLMo 3, SmolLM 3, Nemotron:
    # vllm/reasoning/deepseek_r1_reasoning_parser.py, minimax_m2_…, olmo3_…, vllm/parser/qwen3.py.
    "think": Markers("<think>", "</think>"),
    # What many fine-tunes were taught, and what models are often asked for in a prompt; no parser of
    # vLLM 0.32 knows it.
    "thinking": Markers("<thinking>", "</thinking>"),
    # Magistral: SpecialTokens.begin_think and end_think of mistral-common, which
    # vllm/reasoning/mistral_reasoning_parser.py reads.
    "mistral": Markers("[THINK]", "[/THINK]"),
    # gpt-oss: vllm/parser/harmony.py; the answer is a message of its own, in the channel `final`.
    "harmony": Markers(
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|channel|>final<|message|>",
        "<|return|>",
    ),
    # Seed-OSS: vllm/parser/seed_oss.py.
    "seed_oss": Markers("<seed:think>", "</seed:think>"),
    # Kimi-VL-Thinking: its chat template on the model hub.
    "kimi_vl": Markers("◁think▷", "◁/think▷"),
    # Command A Reasoning: vllm/reasoning/cohere_command_reasoning_parser.py.
    "cohere": Markers(
        "<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"
    ),
    # Gemma 4: vllm/parser/gemma4.py.
    "gemma4": Markers("<|channel>thought\n", "<channel|>"),
    # MiniMax M3: vllm/reasoning/minimax_m3_reasoning_parser.py.
    "minimax_m3": Markers("<mm:think>", "</mm:think>"),
    # Hunyuan A13B: vllm/reasoning/hunyuan_a13b_reasoning_parser.py. Only where a recipe names it:
    # its template looks like one of `think`.
    "hunyuan_a13b": Markers("<think>", "</think>", "<answer>", "</answer>"),
}
"""By family, with where its markers were read."""
AUTO, NONE = "auto", "none"


@dataclass(frozen=True)
class ReasoningSpec:
    """Whether the model thinks before it answers, and how that is told from the answer."""

    markers: str = AUTO
    """auto: as the model's chat template says, where the engine knows it; none: answers are taken
    whole; a family of markers such as think, mistral or harmony."""
    open: str = ""
    """Own markers, in place of a family's: what a trace begins with,"""
    close: str = ""
    """and what ends it."""
    prefilled: bool = False
    """The chat template writes the opening marker into the prompt. Seen by itself with vLLM; an
    endpoint does not show its prompts."""

    def check(self) -> None:
        """Raises RecipeError for an unknown family, or half a pair of markers."""
        known = (AUTO, NONE, *FAMILIES)
        if self.markers not in known:
            raise RecipeError(
                f"engine.reasoning.markers: {self.markers!r} is not among {', '.join(known)}"
            )
        if bool(self.open) != bool(self.close):
            missing = "close" if self.open else "open"
            raise RecipeError(f"engine.reasoning.{missing}: is empty; markers come in pairs")
        if self.open and self.markers != AUTO:
            raise RecipeError(
                f"engine.reasoning.markers: {self.markers} and own markers; give one of them"
            )
        if self.prefilled and self.own is None:
            raise RecipeError(
                "engine.reasoning.prefilled: says that the prompt opens a trace; say with which "
                "markers"
            )

    @property
    def own(self) -> Markers | None:
        """The markers that the recipe itself says; None: none, or those of the chat template."""
        return Markers(self.open, self.close) if self.open else FAMILIES.get(self.markers)

    def of_template(self, template: str) -> Markers | None:
        """The markers to split by, where a chat template with this text is applied."""
        if self.markers != AUTO or self.own is not None:
            return self.own
        families = FAMILIES.values()
        return next((f for f in families if f.open in template or f.close in template), None)

    @property
    def strings(self) -> dict[str, str]:
        """What may be left of a trace in a text, and the family that it tells of."""
        families = FAMILIES if self.own is None else {"own": self.own} | FAMILIES
        pairs = {name: (m.open.strip(), m.close.strip()) for name, m in families.items()}
        found: dict[str, str] = {}
        for family, strings in pairs.items():
            for string in strings:
                found.setdefault(string, family)
        return found
