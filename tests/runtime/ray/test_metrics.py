"""What a run exports, as Ray's own exporter shows it; nothing at all where Ray is not up."""

import re
import subprocess
import sys
import time
import urllib.request
from itertools import count

import pytest
import ray

from seedcorn.core.log.entries import BatchCommitted
from seedcorn.core.ops import metrics as known
from seedcorn.core.ops.metrics import Metric, corpus_tag
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.job import WorkerProgress
from seedcorn.runtime.ray.metrics import Meter

EXPORTED_WITHIN_S = 60.0
FRESH = count()


def batch(**changes) -> BatchCommitted:
    """A batch of ten samples, as the log names it."""
    values = {
        "counts": {"accepted": 7, "duplicate": 2, "rejected": 1, "failed": 0},
        "tokens": {"accepted": 700, "generated": 1000, "prompt": 50},
        "goodput": {"useful": 3.0, "duplicate": 0.5, "busy": 4.0},
    }
    empty = {"reasons": {}, "strata": {}, "data": [], "dropped": [], "sketch": None}
    places = dict.fromkeys(
        ("batch", "first_unit", "last_unit", "first_index", "last_index", "ordinal"), 0
    )
    rest = {"generation": 1, "sketch_rate": 1.0, "engine_seconds": 3.5}
    return BatchCommitted(**(values | empty | places | rest | changes))


def look(generation: int = 1, **changes) -> Snapshot:
    values = {
        "generation": generation,
        "planned": 100,
        "generated": 40,
        "tokens_per_s": 0.0,
        "workers": 1,
        "in_flight": 0,
        "restarts": 0,
        "quarantined": 0,
        "open_batches": 3,
        "indexing": (0, 0),
    }
    return Snapshot(**(values | changes))


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
    meter, seen = Meter(corpus), Exported(corpus)
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


@pytest.mark.ray
def test_worker_that_is_replaced_or_gone_takes_nothing_away_and_shows_no_old_figures(corpus):
    meter, seen = Meter(corpus), Exported(corpus)
    old = WorkerProgress({}, 500, 9, {"running": 6.0}, busy_s=50.0, up_s=60.0, lags=(1.0,))
    meter.look(look(progress={0: old, 1: old}, restarts=3))
    meter.look(look(progress={0: old, 1: old}, restarts=3))  # The same words are told once.
    fresh = WorkerProgress({}, 40, 2, {"running": 2.0}, busy_s=1.0, up_s=4.0)
    meter.look(look(generation=2, progress={0: fresh}, restarts=1))

    assert seen.settled(known.WORKER_TOKENS, 540, slot="0") == 540
    assert seen.value(known.WORKER_TOKENS, slot="1") == 500
    assert seen.value(known.BUSY_SHARE, slot="0") == 0.25
    assert seen.value(known.RUNNING, slot="1") == 0.0
    assert seen.value(known.IN_FLIGHT, slot="1") == 0.0
    assert seen.value(known.STAGING_LAG, "_count") == 2
    assert seen.value(known.RESTARTS) == 4, "of the run, both generations"


def test_without_ray_a_run_exports_nothing_and_goes_on():
    program = (
        "from tests.runtime.ray.test_metrics import Meter, batch, look\n"
        "import ray\n"
        "meter = Meter('s3://bucket/corn')\n"
        "meter.committed(batch(), 1.0, 1.0)\n"
        "meter.look(look())\n"
        "print('initialised', ray.is_initialized())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "initialised False\n"), done.stderr
