"""Three drivers at once on one corpus, killed and taking over at random: a few rounds of a hundred."""

import pytest


@pytest.mark.s3
@pytest.mark.timeout(300)
def test_three_drivers_at_once_make_one_corpus_and_every_end_has_a_name(rows):
    rows.races(2, 0)
    row = rows.rows[-1]
    assert row.wrong == []
    assert row.ok
    assert row.runs == 2
