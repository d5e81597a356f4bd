"""What a run exports of workers that come and go."""

from collections import defaultdict

from seedcorn.core.ops import metrics as known
from seedcorn.core.ops.metrics import Kind, Metric
from seedcorn.runtime.driver.meter import Meter
from seedcorn.runtime.job import WorkerProgress
from tests.runtime.metered import look


class Exporter:
    """Keeps sums of counters, the last value of gauges and the number of observations."""

    def __init__(self) -> None:
        self.values = defaultdict[tuple[Metric, tuple[str, ...]], float](float)

    def record(self, metric: Metric, value: float, *tags: str) -> None:
        place = (metric, tags)
        if metric.kind is Kind.GAUGE:
            self.values[place] = value
        else:
            self.values[place] += value if metric.kind is Kind.COUNTER else 1

    def __getitem__(self, place: tuple[Metric, str] | Metric) -> float:
        metric, *tags = place if isinstance(place, tuple) else (place,)
        return self.values[metric, tuple(tags)]


def test_worker_that_is_replaced_or_gone_takes_nothing_away_and_shows_no_old_figures() -> None:
    seen = Exporter()
    meter = Meter(seen)
    old = WorkerProgress({}, 500, 9, {"running": 6.0}, busy_s=50.0, up_s=60.0, lags=(1.0,))
    meter.look(look(progress={0: old, 1: old}, restarts=3))
    meter.look(look(progress={0: old, 1: old}, restarts=3))  # The same words are told once.
    fresh = WorkerProgress({}, 40, 2, {"running": 2.0}, busy_s=1.0, up_s=4.0)
    meter.look(look(generation=2, progress={0: fresh}, restarts=1))

    assert seen[known.WORKER_TOKENS, "0"] == 540
    assert seen[known.WORKER_TOKENS, "1"] == 500
    assert seen[known.BUSY_SHARE, "0"] == 0.25
    assert seen[known.RUNNING, "1"] == 0.0
    assert seen[known.IN_FLIGHT, "1"] == 0.0
    assert seen[known.STAGING_LAG] == 2
    assert seen[known.RESTARTS] == 4, "of the run, both generations"
