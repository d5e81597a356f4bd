"""The exact checker: what it calls verified, what it says else, and the latent instance."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.checks import CHECKS, Subject, Verdict, build, verify
from seedcorn.core.checks.arithmetic import latent
from seedcorn.core.engine import Completion
from seedcorn.core.errors import RecipeError
from seedcorn.core.text.words import NEWEST

STORY = "Ada buys 3 boxes of 12 eggs: 3 \u00d7 12 = 36 eggs. Five break, so 36 - 5 = 31 are left."


def verdict(answer: str, **settings: int) -> Verdict:
    checks = build([{"arithmetic": settings}], {})
    subject = Subject(answer, Completion(answer, 1, 1, "stop"), (), NEWEST)
    return asyncio.run(verify(checks, subject))


def test_arithmetic_verifies_and_is_a_check_that_recipes_may_name():
    assert CHECKS["arithmetic"].verifies


def test_arithmetic_right_story_passes():
    assert verdict(STORY).passed == ("arithmetic",)
    assert not verdict(STORY, min_equations=2).reason


def test_arithmetic_first_wrong_equation_is_named_with_both_values():
    found = verdict("1 + 1 = 2. Then 36 - 5 = 32, and 4 + 4 = 9.")
    assert (found.reason, found.detail) == ("arithmetic", "'36 - 5 = 32': 31 is not 32")


def test_arithmetic_too_few_equations_are_counted():
    assert verdict(STORY, min_equations=3).detail == "2 different equations, needed: 3"
    assert "0 different" in verdict("Ada has 31 eggs.").detail


def test_arithmetic_repeating_an_equation_does_not_make_more_of_them():
    answer = "3 + 4 = 7. Again, 4 + 3 = 7. And 7 = 3 + 4."
    assert "1 different" in verdict(answer, min_equations=2).detail


def test_arithmetic_unreadable_equation_is_not_verified():
    assert "cannot be read" in verdict(f"{STORY} Also 2^3 + 1 = 9.").detail


def test_arithmetic_long_equation_is_quoted_in_part():
    assert len(verdict("1 + " * 30 + "1 = 5").detail) < 150


def test_arithmetic_without_a_needed_equation_is_a_recipe_error():
    with pytest.raises(RecipeError, match=r"checks\.0\.arithmetic\.min_equations"):
        build([{"arithmetic": {"min_equations": 0}}], {})


RENDERINGS = [
    "3 \u00d7 12 = 36, so 36 - 5 = 31.",
    "36 \u2212 5 = 31 because 12*3 = 36",
    "- 36 = 12 x 3\n- 31 = 36 - 5",
    "3 boxes \u00d7 12 eggs = 36 eggs; $36.00 - $5 = $31. As said, 3 \u00d7 12 = 36.",
]


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_latent_instance_is_one_for_all_renderings(rendering):
    assert latent(rendering) == latent(RENDERINGS[0]) == b"(-5+36) = 31\n(12*3) = 36"


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_latent_instance_swaps_operands_of_sums_and_of_nothing_else(a, b):
    assert latent(f"{a} + {b} = {a + b}") == latent(f"{b:,}+{a:,} = {a + b:,}") is not None
    if a != b:
        assert latent(f"{a} - {b} = {a - b}") != latent(f"{b} - {a} = {b - a}")


def test_latent_instance_of_other_numbers_is_another():
    assert len({latent(f"{n} + 1 = {n + 1}") for n in range(50)}) == 50


def test_latent_instance_of_a_wrong_or_empty_answer_is_none():
    assert latent("3 + 4 = 8") is None
    assert latent(f"{STORY} And 1 + 1 = 3.") is None
    assert latent("No numbers here.") is None
