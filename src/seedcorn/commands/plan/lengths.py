"""Prompts of the plan in tokens: by the model's own tokenizer where it is at hand, else unknown."""

from collections.abc import Sequence

from seedcorn.commands.plan.drafts import Draft
from seedcorn.core.errors import EngineUnavailable
from seedcorn.core.preflight.fit import Fit
from seedcorn.core.recipe import Recipe
from seedcorn.engines.tokenizer import LocalTokenizer, open_tokenizer


class Lengths:
    """The tokenizer of a recipe's model, or why there is none; nothing for engines without a model."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self.tokenizer: LocalTokenizer | None = None
        self.unknown = ""
        """Why lengths in tokens are not known, and how to get them."""
        if recipe.engine.settings.needs_model:
            try:
                self.tokenizer = open_tokenizer(recipe.engine)
            except EngineUnavailable as missing:
                self.unknown = f"unknown: {missing}"

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """Strings to be neutralised inside seed text; none where they are not known."""
        return self.tokenizer.special_tokens if self.tokenizer else ()

    def fit(self, sample: Sequence[Draft], context: int = 0) -> Fit | None:
        """How the sample fits; None where it cannot be told, see `unknown`.

        `context` is what an endpoint says that it takes; vLLM's stands in the recipe.
        """
        if self.tokenizer is None:
            return None
        recipe = self._recipe
        try:
            tokens = {
                draft.draw.index: self.tokenizer.count(draft.rendered)
                for draft in sample
                if draft.rendered is not None
            }
        except EngineUnavailable as problem:
            self.unknown = f"unknown: {problem}"
            return None
        return Fit(
            tokens,
            len(sample) * recipe.samples_per_prompt >= recipe.samples,
            recipe.engine.sampling.max_tokens,
            recipe.engine.vllm.max_model_len if recipe.engine.kind == "vllm" else context,
        )
