"""Settings of nights: times as people and YAML write them, and what cannot be meant."""

from dataclasses import replace
from datetime import date, time

import pytest

from seedcorn.core.errors import RecipeError
from seedcorn.core.preflight.nightly import check, night_date, time_of
from seedcorn.core.recipe import DedupSpec, LedgerSpec, NightlySpec, Recipe, SourceSpec

RECIPE = Recipe(name="nights")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("06:00", time(6)), ("23:59", time(23, 59)), ("00:00", time(0)), ("1110", time(18, 30))],
)
def test_time_of_reads_hours_and_minutes_as_written_or_as_yaml_counts_them(text, expected):
    assert time_of("k", text) == expected


@pytest.mark.parametrize("text", ["", "6:00", "24:00", "12:60", "noon", "1440", "12:00:00", "-1"])
def test_time_of_anything_else_is_refused_by_key(text):
    with pytest.raises(RecipeError, match=r"^nightly\.begins: .*HH:MM"):
        time_of("nightly.begins", text)


def test_night_date_is_a_calendar_day():
    assert night_date("2028-02-29") == date(2028, 2, 29)
    for wrong in ("2026-02-29", "20261123", "2026-W48-1", "tonight"):
        with pytest.raises(RecipeError, match=r"^nightly\.key: .*YYYY-MM-DD"):
            night_date(wrong)


@pytest.mark.parametrize(
    ("nightly", "key"),
    [
        (NightlySpec(begins="noon"), "nightly.begins"),
        (NightlySpec(deadline="six"), "nightly.deadline"),
        (NightlySpec(key="yesterday"), "nightly.key"),
    ],
)
def test_check_names_the_key_that_cannot_be_meant(nightly, key):
    check(RECIPE)
    with pytest.raises(RecipeError, match=f"^{key}:"):
        check(replace(RECIPE, nightly=nightly))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"dedup": DedupSpec(against=[SourceSpec("x", grows=True)])}, r"dedup\.against\.0\.grows"),
        (
            {"dedup": DedupSpec(evaluations=[SourceSpec("x"), SourceSpec("y", grows=True)])},
            r"dedup\.evaluations\.1\.grows",
        ),
        ({"ledger": LedgerSpec(anchor=[SourceSpec("x", grows=True)])}, r"ledger\.anchor\.0\.grows"),
    ],
)
def test_only_sources_of_the_seed_may_grow(changes, key):
    check(replace(RECIPE, seed=[SourceSpec("x", grows=True)]))
    with pytest.raises(RecipeError, match=f"^{key}:"):
        check(replace(RECIPE, **changes))


def test_nights_and_growth_are_operational():
    grown = replace(
        RECIPE, nightly=NightlySpec(enabled=True, deadline="06:00"), seed=[SourceSpec("a", "a")]
    )
    plain = replace(RECIPE, seed=[SourceSpec("a", "a", grows=True)])
    assert grown.fingerprint == plain.fingerprint
