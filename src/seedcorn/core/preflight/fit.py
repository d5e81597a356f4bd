"""Whether the plan's prompts fit the model's context: a sample of them, measured in tokens.

The engine refuses a prompt that leaves no room for `max_tokens`, one sample after the other and
hours after the start; here the share of such prompts is known before anything runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from seedcorn.core.identity import Permutation, uint64
from seedcorn.core.intervals import clopper_pearson

SAMPLED = 64
"""Prompts that are rendered: where all of them fit, at most 6 % of the plan do not (95 %)."""
SHOWN = 8
"""Indices that a line lists."""


def sampled(fingerprint: str, samples: int, per_prompt: int, wanted: int = SAMPLED) -> list[int]:
    """Plan indices drawn without replacement, one a prompt, ascending: the same for the same recipe.

    All prompts where there are no more than `wanted`.
    """
    prompts = -(-samples // per_prompt)
    order = Permutation(prompts, uint64("rendered by plan", fingerprint))
    return sorted(order(place) * per_prompt for place in range(min(wanted, prompts)))


def listed(indices: list[int]) -> str:
    """The indices as a line shows them."""
    if len(indices) <= SHOWN:
        return ", ".join(map(str, indices))
    return f"{', '.join(map(str, indices[: SHOWN - 2]))}, …, {indices[-1]}"


@dataclass(frozen=True, slots=True)
class Fit:
    """Lengths of some rendered prompts, held against what the model takes."""

    tokens: Mapping[int, int]
    """Plan index -> tokens of the prompt, chat template included."""
    whole: bool
    """Whether the plan has no other prompts than those that were looked at."""
    max_tokens: int
    max_model_len: int
    """Tokens of prompt and answer together; 0: unknown."""

    @property
    def too_long(self) -> int:
        """Rendered prompts that do not fit."""
        room = self.max_model_len - self.max_tokens
        return sum(length > room for length in self.tokens.values()) if self.max_model_len else 0

    @property
    def text(self) -> str:
        """One line: how many do not fit, of how many, how sure that is, and the longest."""
        if not self.tokens:
            return "unknown: no prompt could be rendered"
        index = max(self.tokens, key=lambda index: self.tokens[index])
        longest = f"the longest, sample {index}, has {self.tokens[index]:,} tokens"
        if not self.max_model_len:
            return f"{longest}; the engine's context is not known here"
        return (
            f"{self.too_long} of {len(self.tokens)} rendered prompts do not fit {self._certainty}: "
            f"prompt + max_tokens {self.max_tokens:,} against max_model_len "
            f"{self.max_model_len:,}; {longest}"
        )

    @property
    def _certainty(self) -> str:
        if self.whole:
            return "(exact: these are all)"
        share = clopper_pearson(self.too_long, len(self.tokens))
        return f"({100 * share.low:.2g} to {100 * share.high:.2g} % of all, 95 %)"
