"""The protocol broken on purpose: the simulation notices every defence that is removed."""

import logging
from collections.abc import Iterator

import pytest

from tests.faults.simulation.campaign import first_caught
from tests.faults.simulation.mutants import MUTANTS, Mutant

SEARCHED = 300
"""Schedules in which a mutant that does harm must be noticed; the rarest show in 1 of 60."""
UNSEEN = 20
"""Schedules in which a harmless one must not be."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.name)
def test_mutant_that_does_harm_is_noticed_and_a_harmless_one_is_not(mutant: Mutant) -> None:
    caught = first_caught(mutant, range(UNSEEN if mutant.harmless else SEARCHED))
    assert (caught is None) == bool(mutant.harmless), caught
