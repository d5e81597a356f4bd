"""The protocol broken on purpose: the simulation notices every defence that is removed."""

import logging

import pytest

from tests.faults.simulation.campaign import first_caught
from tests.faults.simulation.mutants import MUTANTS, Mutant

FIRST = {
    "put-if-absent: HEAD, then PUT": 0,
    "keys of dropped documents inserted": 0,
    "admission repeated, own rank not ignored": 39,
    "attempt A sealed, B committed": 29,
    "no hash in shard names": 0,
}
"""Where the search for a rare one begins, so that it does not run the same schedules each time."""
SEARCHED = 12


@pytest.fixture(autouse=True)
def _quiet() -> object:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=lambda mutant: mutant.name)
def test_mutant_that_does_harm_is_noticed_and_a_harmless_one_is_not(mutant: Mutant) -> None:
    start = FIRST.get(mutant.name, 0)
    caught = first_caught(mutant, range(start, start + SEARCHED))
    assert (caught is None) == bool(mutant.harmless), caught
