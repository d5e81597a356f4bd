"""A run's figures for Ray's exporter, and so for Prometheus. The only file that knows Ray's metrics."""

from typing import Any

from ray.util import metrics as exporting

from seedcorn.core.ops.metrics import CORPUS, Kind, Metric, corpus_tag


class RayInstruments:
    """Ray's objects behind the metrics of one corpus, made when first used."""

    def __init__(self, corpus: str) -> None:
        """`corpus` is the address; the tag is made from it."""
        self._tags = {CORPUS: corpus_tag(corpus)}
        self._made: dict[str, Any] = {}

    def record(self, metric: Metric, value: float, *tags: str) -> None:
        """See `Instruments`."""
        named = self._tags | dict(zip(metric.tags, tags, strict=True))
        instrument = self._made.get(metric.name)
        if instrument is None:
            instrument = self._made[metric.name] = _instrument(metric)
        if metric.kind is Kind.GAUGE:
            instrument.set(float(value), named)
        elif metric.kind is Kind.HISTOGRAM:
            instrument.observe(float(value), named)
        elif value > 0:  # Ray refuses to add nothing.
            instrument.inc(float(value), named)


def _instrument(metric: Metric) -> Any:
    if metric.kind is Kind.HISTOGRAM:
        bounds = list(metric.buckets)
        return exporting.Histogram(metric.name, metric.help, bounds, tag_keys=metric.keys)
    made = exporting.Counter if metric.kind is Kind.COUNTER else exporting.Gauge
    return made(metric.name, metric.help, tag_keys=metric.keys)
