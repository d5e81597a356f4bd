"""What a stored number of a rule means to the ledger."""

import pytest

from seedcorn.core.rule_numbers import LEDGER_UNIT, group_size


@pytest.mark.parametrize(
    ("rules", "samples_per_prompt", "size"),
    [({}, 4, 1), ({LEDGER_UNIT: 2}, 4, 4), ({LEDGER_UNIT: 2}, 1, 1), ({"text": 2}, 4, 1)],
)
def test_samples_of_one_prompt_are_one_document_from_ledger_unit_2_on(
    rules, samples_per_prompt, size
):
    assert group_size(rules, samples_per_prompt) == size
