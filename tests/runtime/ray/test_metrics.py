"""What a run exports, as Ray's own exporter shows it."""

import re
import time
import urllib.request
from itertools import count

import pytest
import ray

from seedcorn.core.ops import metrics as known
from seedcorn.core.ops.metrics import Metric, corpus_tag
from seedcorn.runtime.driver.meter import Meter
from seedcorn.runtime.job import WorkerProgress
from seedcorn.runtime.ray.metrics import RayInstruments
from tests.runtime.metered import batch, look

EXPORTED_WITHIN_S = 60.0
FRESH = count()


class Exported:
    """What the cluster's exporter says of one corpus."""

    def __init__(self, corpus: str) -> None:
        port = ray.nodes()[0]["MetricsExportPort"]
        self._url, self._tag = f"http://127.0.0.1:{port}/metrics", corpus_tag(corpus)
        self.lines: list[str] = []

    def read(self) -> None:
        with urllib.request.urlopen(self._url, timeout=10) as reply:
            text = reply.read().decode()
        self.lines = [line for line in text.splitlines() if f'corpus="{self._tag}"' in line]

    def value(self, metric: Metric, suffix: str = "", **tags: str) -> float | None:
        """The newest value; None where there is no such series."""
        wanted = [f'{name}="{value}"' for name, value in tags.items()]
        for line in self.lines:
            name = re.match(r"\w+", line)
            if name and name.group() == metric.exported + suffix and all(w in line for w in wanted):
                return float(line.rsplit(" ", 1)[1])
        return None

    def settled(self, metric: Metric, wanted: float, **tags: str) -> float | None:
        """The value once it is what is wanted, or at last; Ray hands on every ten seconds."""
        end = time.monotonic() + EXPORTED_WITHIN_S
        while time.monotonic() < end:
            self.read()
            if self.value(metric, **tags) == wanted:
                break
            time.sleep(0.5)
        return self.value(metric, **tags)


@pytest.fixture
def corpus(ray_cluster: str) -> str:
    """An address of its own, so that no test counts what another one exported."""
    return f"/nowhere/metered-{next(FRESH)}"


@pytest.mark.ray
def test_batches_and_looks_are_exported_as_what_they_say(corpus):
    meter, seen = Meter(RayInstruments(corpus)), Exported(corpus)
    meter.committed(batch(), seal_s=2.0, commit_s=0.05)
    meter.committed(batch(), seal_s=2.0, commit_s=0.05)
    engine = {"running": 6.0, "kv_cache_usage": 0.25, "unheard_of": 1.0}
    first = WorkerProgress({}, 500, 9, engine, busy_s=5.0, up_s=10.0, lags=(0.2, 4.0))
    units = {"open": 48, "leased": 20, "staged": 5}
    meter.look(look(progress={3: first}, units=units, restarts=2, indexing=(5, 20)))
    second = WorkerProgress({}, 800, 9, engine, busy_s=5.9, up_s=11.0)
    meter.look(look(progress={3: second}, units=units, restarts=2, indexing=(5, 20)))

    assert seen.settled(known.BUSY_SHARE, pytest.approx(0.9), slot="3") == pytest.approx(0.9)
    assert seen.value(known.SAMPLES, outcome="accepted") == 14
    assert seen.value(known.SAMPLES, outcome="failed") is None, "Ray exports no nought"
    assert seen.value(known.TOKENS, kind="generated") == 2000
    assert seen.value(known.ENGINE_SECONDS, use="duplicate") == 1.0
    assert seen.value(known.SEAL, "_count") == 2
    assert seen.value(known.COMMIT, "_bucket", le="0.03") == 0
    assert seen.value(known.COMMIT, "_bucket", le="0.1") == 2
    assert seen.value(known.STAGING_LAG, "_count") == 2
    assert seen.value(known.WORKER_TOKENS, slot="3") == 800
    assert seen.value(known.KV_CACHE, slot="3") == 0.25
    assert seen.value(known.UNITS, state="leased") == 20
    assert seen.value(known.INDEXING) == 0.25
    assert seen.value(known.RESTARTS) == 2
