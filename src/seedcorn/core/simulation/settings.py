"""Which settings of the simulated engine plant something sensible; the others are refused by name."""

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import SimulatedSpec
from seedcorn.core.simulation.simulation import rates
from seedcorn.core.simulation.texts import STYLES


def check(spec: SimulatedSpec) -> None:
    """Raises RecipeError for settings that plant nothing sensible."""
    table = rates(spec)
    for kind, rate in table:
        if not 0.0 <= rate <= 1.0:
            raise RecipeError(f"engine.simulated: the rate of {kind} is {rate}, not within [0, 1]")
    if (total := sum(rate for _, rate in table)) > 1.0 + 1e-9:
        raise RecipeError(f"engine.simulated: the planted rates sum to {total:g}, more than 1")
    least = {"words": 1, "vocabulary": 2, "concurrency": 1, "template_instances": 1}
    for name, bound in (least | {"template_slots": 0, "collapse_from": -1}).items():
        if getattr(spec, name) < bound:
            raise RecipeError(
                f"engine.simulated.{name} is {getattr(spec, name)}; it takes at least {bound}"
            )
    _check_texts(spec)


def _check_texts(spec: SimulatedSpec) -> None:
    if spec.style not in STYLES:
        known = ", ".join(STYLES)
        raise RecipeError(f"engine.simulated.style is {spec.style!r}; it is one of {known}")
    if not 0.0 <= spec.paraphrase_swap <= 1.0:
        raise RecipeError(
            f"engine.simulated.paraphrase_swap is {spec.paraphrase_swap}, not within [0, 1]"
        )
    slots = spec.template_slots
    if slots > spec.words:
        raise RecipeError(
            f"engine.simulated.template_slots is {slots}, more than the {spec.words} words"
        )
    # Beyond 64 slots any two words suffice, and the power need not be computed.
    if 0 < slots < 64 and spec.vocabulary**slots < spec.template_instances:
        raise RecipeError(
            f"engine.simulated.template_instances is {spec.template_instances}, but {slots} slots and "
            f"{spec.vocabulary} words make only {spec.vocabulary**slots} different ones"
        )
