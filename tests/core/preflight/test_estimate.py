"""Estimates before a run: arithmetic that can be checked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.dedup import index, witnesses
from seedcorn.core.figures import size
from seedcorn.core.preflight import estimate
from seedcorn.core.recipe import EngineSpec, LedgerSpec, PromptSpec, Recipe, SamplingSpec


def recipe(**changes):
    sampling = SamplingSpec(max_tokens=100)
    prompts = [PromptSpec("a", "x", weight=3), PromptSpec("b", "y", weight=1)]
    values = {
        "name": "r",
        "samples": 1000,
        "generations": 2,
        "prompts": prompts,
        "engine": EngineSpec(sampling=sampling),
    }
    return Recipe(**(values | changes))


def test_indexing_counts_table_and_witnesses():
    cost = estimate.indexing(50_000_000)
    assert cost.memory == index.memory_bytes(50_000_000) + witnesses.memory_bytes(50_000_000)
    assert cost.peak > 2 * index.memory_bytes(50_000_000)
    assert cost.seconds == pytest.approx(50_000_000 / estimate.INDEXED_PER_S)


def test_indexing_on_more_cores_takes_less_time_and_the_same_memory():
    one, four = estimate.indexing(10_000), estimate.indexing(10_000, cores=4)
    assert four.seconds == pytest.approx(one.seconds / 4)
    assert four.memory == one.memory


def test_indexing_line_names_rows_time_rate_and_memory():
    line = estimate.indexing_line(50_000_000)
    assert "50,000,000 documents" in line
    assert "2 h 47 min" in line
    assert "5,000 documents of 200 words a second" in line
    assert size(estimate.indexing(50_000_000).memory) in line
    assert "\n" not in line


def test_tokens_are_a_ceiling_over_all_generations():
    assert estimate.ceiling(recipe()) == 1000 * 2 * 100
    assert estimate.prompt_tokens(recipe(), 400.0) == 1000 * 2 * 100


def test_shares_follow_the_weights():
    assert estimate.shares(recipe().prompts) == {"a": 0.75, "b": 0.25}


def test_storage_grows_with_samples_and_sketches_stop_growing_with_them():
    spec = LedgerSpec(fingerprints=10_000)
    small = estimate.storage(recipe(ledger=spec))
    large = estimate.storage(recipe(ledger=spec, samples=1_000_000))
    assert large.shards == pytest.approx(1000 * small.shards, rel=1e-6)
    assert large.sketches < 10 * small.sketches


@given(st.integers(0, 10**9), st.integers(1, 10**7))
def test_sketched_never_exceeds_the_shingles_and_never_falls(shingles, fingerprints):
    written = estimate.sketched(shingles, fingerprints)
    assert min(shingles, fingerprints) <= written <= shingles
    assert written <= estimate.sketched(2 * shingles, fingerprints)


def test_remaining_time_follows_the_pace_of_this_run_only():
    assert estimate.remaining_s(planned=100, done=60, done_before=40, elapsed_s=10) == 20
    assert estimate.remaining_s(planned=100, done=40, done_before=40, elapsed_s=10) is None
    assert estimate.remaining_s(planned=100, done=100, done_before=40, elapsed_s=10) == 0
