"""A short run of every fuzz target; `python -m tests.fuzz` is the long one."""

import pytest

from tests.fuzz.targets import SLOW, TARGETS, try_one

INPUTS = 100


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_input_ends_in_a_result_or_a_typed_error(name, tmp_path):
    told = {
        number: try_one(name, f"short:{number}", tmp_path)
        for number in range(INPUTS // 5 if name in SLOW else INPUTS)
    }
    assert len(set(told.values())) > 1, told
