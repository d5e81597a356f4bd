"""The adversarial table: every fake is seen through by a companion, new text by none."""

import pytest

from seedcorn.core.companions.order_gap import order_gap
from tests.bench.ledger_fakes import GENUINE, NEGLIGIBLE, SHUFFLED, Row, rows, table
from tests.bench.real_text import SOURCES, documents, parts

LOOPS = ("closed loop, Markov 1", "closed loop, Markov 2")


@pytest.fixture(scope="module", params=SOURCES)
def measured(request) -> dict[str, Row]:
    return {row.name: row for row in rows(request.param)}


def test_genuinely_new_text_crosses_no_limit_by_a_margin(measured):
    new = measured[GENUINE]

    assert new.caught == ()
    assert new.near == 0
    assert new.rho > 0.75
    assert new.gap.low > 0.25
    assert new.gain.low > 10 * NEGLIGIBLE


def test_every_fake_is_caught_by_a_companion(measured):
    assert len(measured) == 9
    assert [name for name, row in measured.items() if not row.caught and name != GENUINE] == []


def test_what_catches_each_fake_is_the_companion_that_is_there_for_it(measured):
    expected = {
        "verbatim copy": {"rho", "anchor gain"},
        "shifted cut points": {"rho", "anchor gain"},
        "15 % synonyms": {"rho", "anchor gain"},
        "word salad": {"order gap", "anchor gain"},
        "template, random slots": {"rho", "anchor gain", "compression"},
        **{loop: {"anchor gain"} for loop in LOOPS},
        SHUFFLED: {"order gap"},
    }

    missed = {name: kinds - set(measured[name].caught) for name, kinds in expected.items()}

    assert {name: kinds for name, kinds in missed.items() if kinds} == {}


def test_headline_and_minhash_alone_are_fooled(measured):
    dressed = measured.keys() - {"verbatim copy", "shifted cut points"}

    assert all(measured[name].novelty > 0.4 for name in dressed)
    assert all(row.near < 0.1 for name, row in measured.items() if name != "verbatim copy")


def test_gap_of_noise_is_nought_within_t12(measured):
    assert abs(measured["word salad"].gap.estimate) < 0.02
    assert abs(measured[SHUFFLED].gap.estimate) < 0.02


@pytest.mark.parametrize("source", SOURCES)
def test_gap_of_real_text_grows_with_the_text_there_is_to_learn_from(source):
    half = len(documents(source)) // 2
    new, history = parts(source, half, half)

    assert order_gap(new, history).low > 0.35
    assert order_gap(new, history).low > order_gap(new[: half // 4]).high


def test_table_has_a_line_per_generation_and_names_what_caught_it(measured):
    lines = list(table("source", list(measured.values())))

    assert len(lines) == 1 + len(measured)
    assert lines[-1].split()[-1] == "none"
    assert "anchor gain" in lines[1]
