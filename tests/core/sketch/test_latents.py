"""Latent instances: one hash per text, from the checks that understand their task."""

import numpy as np

from seedcorn.core.checks import build
from seedcorn.core.sketch.latents import latent_hashes
from seedcorn.core.text.shingles import ALL

ARITHMETIC = build([{"length": {"min_words": 1}}, {"arithmetic": {}}], {})
TEXTS = [
    "Two and three apples: 2 + 3 = 5.",
    "Altogether 3 + 2 = 5, said the farmer.",
    "No sum here.",
    "But 2 + 3 = 6 is wrong.",
    "4 x 5 = 20",
]


def test_latent_hashes_of_checks_that_know_no_task_are_nothing():
    assert latent_hashes(TEXTS, build([{"refusal": {}}], {})) is None


def test_latent_hashes_two_tellings_of_one_calculation_are_one_instance():
    found = latent_hashes(TEXTS, ARITHMETIC)

    assert np.diff(found.offsets).tolist() == [1, 1, 0, 0, 1]
    assert found.hashes[0] == found.hashes[1] != found.hashes[2]


def test_latent_hashes_below_a_limit_are_those_of_the_whole_that_lie_below():
    texts = [f"{n} + {n} = {2 * n}" for n in range(400)]
    whole, half = (latent_hashes(texts, ARITHMETIC, limit) for limit in (ALL, ALL // 2))

    assert half.hashes.tolist() == [h for h in whole.hashes.tolist() if h < ALL // 2]
    assert 150 < len(half.hashes) < 250
    assert len(half.offsets) == 401
