"""Prometheus scrapes a run: its counters are the ledger's, and every query of the dashboard answers.

Ray hands its metrics on every ten seconds, so each test waits for a while after its run.
"""

import math
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from seedcorn.config import load_recipe
from seedcorn.core.ledger.rows import GenerationRow
from seedcorn.core.ops import metrics as known
from seedcorn.core.ops.dashboard import queries
from seedcorn.core.ops.metrics import corpus_tag
from seedcorn.core.scheduling.goodput import IDLE, OF_BATCH, STARTING
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.stores.opening import open_store
from tests.runtime.conftest import Loader, ignore
from tests.servers.prometheus import Prometheus, PrometheusMissing, prometheus

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]
REPOSITORY = Path(__file__).parents[3]
EXPORTED_WITHIN_S = 60.0
VLLM_ONLY = {known.WAITING, known.KV_CACHE, known.PREFIX_HITS}


@pytest.fixture(scope="module")
def server(ray_cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Scrapes every node of the session's cluster, through loopback."""
    targets = [f"127.0.0.1:{node['MetricsExportPort']}" for node in ray.nodes() if node["Alive"]]
    try:
        with prometheus(tmp_path_factory.mktemp("prometheus"), targets) as running:
            yield running
    except PrometheusMissing as missing:
        pytest.skip(str(missing))


def settled(look: Callable[[], Any], wanted: Any) -> Any:
    """What `look` sees once it is what is wanted, or at last."""
    end = time.monotonic() + EXPORTED_WITHIN_S
    while (seen := look()) != wanted and time.monotonic() < end:
        time.sleep(1)
    return seen


def by_tag(server: Prometheus, metric: known.Metric, tag: str, corpus: str) -> dict[str, float]:
    """The newest values of a corpus' metric by one tag."""
    text = f'sum by ({tag}) ({metric.exported}{{corpus="{corpus}"}})'
    return {s["metric"][tag]: float(s["value"][1]) for s in server.query(text)}


def asked(text: str, corpus: str) -> str:
    """A query of the dashboard as Grafana would send it."""
    return text.replace("$corpus", corpus).replace("$__rate_interval", "2m")


def silent(server: Prometheus, corpus: str, texts: list[str]) -> list[str]:
    """Queries without a single number for an answer."""
    return [
        text
        for text in texts
        if not any(
            math.isfinite(float(series["value"][1])) for series in server.query(asked(text, corpus))
        )
    ]


class Unanswered:
    """Queries that had no number for an answer yet, asked again and again while a run is on: Ray
    exports a gauge only while somebody sets it, and a rate only once it was scraped twice."""

    def __init__(self, server: Prometheus, corpus: str, texts: list[str]) -> None:
        self._server, self._corpus, self.texts = server, corpus, texts
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Unanswered":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Ask on for a while after the run, then stop."""
        end = time.monotonic() + EXPORTED_WITHIN_S
        while error[0] is None and self.texts and time.monotonic() < end:
            time.sleep(1)
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while self.texts and not self._over.wait(1):
            self.texts = silent(self._server, self._corpus, self.texts)


def summed(rows: list[GenerationRow], use: str) -> float:
    return sum(row.engine_time[use] for row in rows)


def test_counters_of_a_scraped_run_are_the_ledgers(server: Prometheus, simulated: Loader) -> None:
    loaded = simulated("engine.simulated.latency_s=0.5", "generations=2", "engine.workers=2")
    corpus = corpus_tag(open_store(loaded.recipe.corpus, loaded.recipe.store).uri)
    texts = [q for q in queries() if not any(m.exported in q for m in VLLM_ONLY)]
    with Unanswered(server, corpus, texts) as asked_for:
        rows = grow(loaded, ignore, open_cluster).rows
    assert asked_for.texts == []

    counts = {o: float(sum(r.counts[o] for r in rows)) for o in known.TAG_VALUES[known.OUTCOME]}
    counts = {outcome: count for outcome, count in counts.items() if count}
    seen = settled(lambda: by_tag(server, known.SAMPLES, known.OUTCOME, corpus), counts)
    assert seen == counts
    tokens = {kind: float(sum(r.tokens[kind] for r in rows)) for kind in rows[0].tokens}
    assert by_tag(server, known.TOKENS, known.KIND, corpus) == tokens

    spent = by_tag(server, known.ENGINE_SECONDS, known.USE, corpus)
    for use in (*OF_BATCH, STARTING, IDLE):
        # What was regenerated without ever being staged is known at the end, and to the ledger alone.
        if use != "regenerated":
            assert spent.get(use, 0.0) == pytest.approx(summed(list(rows), use), rel=1e-6, abs=1e-6)
    workers = by_tag(server, known.WORKER_TOKENS, known.SLOT, corpus)
    assert set(workers) == {"0", "1"}


@pytest.mark.vllm
@pytest.mark.long  # An engine of its own beside the one of test_vllm_line.
def test_every_query_of_the_dashboard_answers_for_a_run_with_vllm(
    server: Prometheus, tmp_path: Path
) -> None:
    model = str(REPOSITORY / ".cache" / "models" / "SmolLM2-135M-Instruct")
    overrides = [
        *(f"corpus={tmp_path / 'corpus'}", "generations=1", "samples=96", f"engine.model={model}"),
        *("units.unit=4", "units.batch=2", "units.ahead=2", "engine.vllm.max_num_seqs=6"),
        *("engine.sampling.max_tokens=40", "checks=[{length: {min_words: 3}}]", "engine.threads=1"),
    ]
    loaded = load_recipe(str(REPOSITORY / "pipelines" / "dry_run.yaml"), overrides)
    corpus = corpus_tag(open_store(loaded.recipe.corpus, loaded.recipe.store).uri)
    with Unanswered(server, corpus, queries()) as asked_for:
        grow(loaded, ignore, open_cluster)
    assert asked_for.texts == []
