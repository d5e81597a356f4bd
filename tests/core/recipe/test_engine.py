"""What engines' own settings refuse, and what the line asks of every kind."""

import pytest

from seedcorn.core.errors import RecipeError
from seedcorn.core.recipe import EngineSpec, SamplingSpec, SimulatedSpec, VllmSpec


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"duplicate_rate": 0.7, "rejection_rate": 0.7}, "sum to 1.4"),
        ({"failure_rate": -0.1}, "failed"),
        ({"words": 0}, "words"),
        ({"vocabulary": 1}, "vocabulary"),
        ({"concurrency": 0}, "concurrency"),
        ({"style": "verse"}, "style is 'verse'"),
        ({"template_rate": 0.6, "salad_rate": 0.6}, "sum to 1.2"),
        ({"paraphrase_rate": 1.5}, "rate of paraphrase"),
        ({"paraphrase_swap": 2.0}, "paraphrase_swap"),
        ({"template_instances": 0}, "template_instances"),
        ({"template_slots": 81}, "more than the 80 words"),
        ({"template_slots": 1, "vocabulary": 9}, "only 9 different"),
        ({"collapse_from": -2}, "collapse_from"),
    ],
)
def test_simulated_impossible_settings_are_a_recipe_error_that_names_them(settings, named):
    with pytest.raises(RecipeError, match=named):
        SimulatedSpec(**settings).check(SamplingSpec(), ["a"], 10)


def test_settings_of_an_unknown_kind_are_a_recipe_error_that_lists_the_known():
    with pytest.raises(RecipeError, match=r"'llama' is not among vllm, simulated, openai"):
        _ = EngineSpec(kind="llama").settings


def test_settings_are_those_of_the_kind_that_writes():
    spec = EngineSpec(vllm=VllmSpec(max_num_seqs=7), simulated=SimulatedSpec(concurrency=9))
    assert (spec.settings.capacity, spec.settings.loads_model, spec.settings.needs_model) == (
        7,
        True,
        True,
    )
    other = EngineSpec(kind="simulated", simulated=spec.simulated).settings
    assert (other.capacity, other.loads_model, other.needs_model) == (9, False, False)
