"""The table of metrics: names that Ray takes, few series, and tags that give nothing away."""

import re

import pytest

from seedcorn.core.ops.metrics import (
    FROM_ENGINE,
    METRICS,
    SLOT,
    TAG_VALUES,
    USE,
    Kind,
    corpus_tag,
    metric_table,
)
from seedcorn.core.scheduling.goodput import OF_BATCH, OF_ENGINES


def test_every_metric_has_a_name_of_its_own_that_ray_does_not_discard():
    names = [metric.name for metric in METRICS]

    assert len(names) == len(set(names)) > 20
    for metric in METRICS:
        assert re.fullmatch("seedcorn_[a-z_]+[a-z]", metric.name)
        assert not metric.name.endswith("_total"), "Ray adds it"
        assert metric.exported.startswith(f"ray_{metric.name}")
        assert metric.exported.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert 10 < len(metric.help) < 110


def test_histograms_share_their_buckets_and_nothing_else_has_any():
    for metric in METRICS:
        assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
        assert all(bound > 0 for bound in metric.buckets), "Ray refuses others"
    assert len({metric.buckets for metric in METRICS if metric.buckets}) == 1


def test_a_run_of_64_workers_has_fewer_than_a_thousand_series():
    series = 0
    for metric in METRICS:
        each = 1
        for tag in metric.tags:
            each *= 64 if tag == SLOT else len(TAG_VALUES[tag])
        series += each * (len(metric.buckets) + 3 if metric.buckets else 1)

    assert series < 1000


def test_uses_of_engine_time_are_those_of_the_ledger():
    assert set(TAG_VALUES[USE]) == {*OF_BATCH, *OF_ENGINES}


def test_figures_of_an_engine_are_metrics_of_a_worker():
    assert all(metric in METRICS and metric.tags == (SLOT,) for metric in FROM_ENGINE.values())


@pytest.mark.parametrize(
    ("uri", "start"),
    [
        ("s3://secret-bucket/nights/corn/", "corn-"),
        ("file:///home/someone/naïve corpus", "na-ve-corpus-"),
        ("/" + 99 * "x", 40 * "x" + "-"),
    ],
)
def test_corpus_is_told_by_its_last_name_and_a_digest(uri, start):
    tag = corpus_tag(uri)

    assert re.fullmatch(re.escape(start) + "[0-9a-f]{6}", tag)
    assert "secret" not in tag
    assert corpus_tag(f"{uri}/") == tag
    assert corpus_tag(f"x{uri}") != tag


def test_table_for_people_has_a_line_for_every_metric():
    table = metric_table().splitlines()

    assert len(table) == 2 + len(METRICS)
    assert all(
        f"`{metric.exported}`" in line for metric, line in zip(METRICS, table[2:], strict=True)
    )
