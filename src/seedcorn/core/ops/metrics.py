"""Every metric that a run exports: the one table that code, dashboard and documentation are made from.

Invariant: few series. A tag is a corpus, an outcome, a use of engine time, a state, or a worker's
slot; never a sample, a unit, a generation or a text. Ray puts `ray_` before every name and
`_total` behind a counter's.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from seedcorn.core.identity import sha256_hex
from seedcorn.core.sample import OUTCOMES
from seedcorn.core.scheduling.goodput import OF_BATCH, OF_ENGINES

PREFIX = "ray_"
CORPUS, SLOT, OUTCOME, KIND, USE, STATE = "corpus", "slot", "outcome", "kind", "use", "state"
TAG_VALUES = {
    OUTCOME: OUTCOMES,
    KIND: ("accepted", "generated", "prompt"),
    USE: tuple(dict.fromkeys((*OF_BATCH, *OF_ENGINES))),
    STATE: ("open", "leased", "staged"),
}
"""All values of the tags that have a closed set of them."""
SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 100.0, 300.0, 1000.0)
"""Bucket bounds of every histogram: Ray rebuilds an observation as the middle of its bucket."""


class Kind(StrEnum):
    """What Prometheus does with it."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `unit` is Grafana's name of a unit, `tags` are besides the corpus."""

    name: str
    kind: Kind
    unit: str
    help: str
    tags: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All tags; each must be given with every value."""
        return (CORPUS, *self.tags)

    @property
    def exported(self) -> str:
        """The name in Prometheus; a histogram's series add `_bucket`, `_count` and `_sum`."""
        return f"{PREFIX}{self.name}{'_total' if self.kind is Kind.COUNTER else ''}"


def _counter(name: str, unit: str, about: str, *tags: str) -> Metric:
    return Metric(f"seedcorn_{name}", Kind.COUNTER, unit, about, tags)


def _gauge(name: str, unit: str, about: str, *tags: str) -> Metric:
    return Metric(f"seedcorn_{name}", Kind.GAUGE, unit, about, tags)


def _histogram(name: str, about: str) -> Metric:
    return Metric(f"seedcorn_{name}", Kind.HISTOGRAM, "s", about, (), SECONDS)


# What was committed: counted at the commit of a batch.
SAMPLES = _counter("samples", "short", "Samples committed, by outcome", OUTCOME)
TOKENS = _counter("tokens", "short", "Tokens of committed samples, as the engine counts", KIND)
UNIQUE = _gauge("unique_tokens", "short", "Unique tokens of the generation that grows")
UNIQUE_RATE = _gauge("unique_tokens_per_second", "short", "Their growth over the last batch")
ENGINE_SECONDS = _counter(
    "engine_seconds",
    "s",
    "Engine time: what engines did (starting, busy, idle), and what committed samples used of it",
    USE,
)
COMMIT = _histogram("commit_seconds", "Until a batch's log entry is durable")
SEAL = _histogram("seal_seconds", "To deduplicate a batch and write its shards")
STAGING_LAG = _histogram("staging_lag_seconds", "From the first sample of a segment to durable")
# Where the run stands: set once a second.
GENERATION = _gauge("generation", "none", "Number of the generation that grows")
PLANNED = _gauge("planned_samples", "short", "Samples that the generation plans")
GENERATED = _gauge("generated_samples", "short", "Samples committed or staged")
UNITS = _gauge("units", "short", "Units of the open batches: open, leased, staged in full", STATE)
OPEN_BATCHES = _gauge("open_batches", "short", "Reorder window: batches open at once")
WORKERS = _gauge("workers", "short", "Workers whose engine is up")
# A gauge, because Ray refuses to add nothing: a counter would not exist before the first one.
RESTARTS = _gauge("restarts", "short", "Workers of this run that died or failed to start")
QUARANTINED = _gauge("quarantined_samples", "short", "Samples suspected of killing an engine")
INDEXING = _gauge("indexing_share", "percentunit", "Rows indexed of those to index at the start")
# Each worker: set once a second from what it reports.
WORKER_TOKENS = _counter("worker_tokens", "short", "Tokens generated, staged or not", SLOT)
BUSY_SHARE = _gauge("engine_busy_share", "percentunit", "Time with work in flight", SLOT)
IN_FLIGHT = _gauge("in_flight_requests", "short", "Requests handed to the engine", SLOT)
RUNNING = _gauge("engine_running_requests", "short", "Requests in the engine's batch", SLOT)
WAITING = _gauge("engine_waiting_requests", "short", "Requests in the engine's queue", SLOT)
KV_CACHE = _gauge("engine_kv_cache_usage", "percentunit", "Key-value cache in use", SLOT)
PREFIX_HITS = _gauge("engine_prefix_hits", "percentunit", "Prompt tokens found in the cache", SLOT)

METRICS = (
    SAMPLES,
    TOKENS,
    UNIQUE,
    UNIQUE_RATE,
    ENGINE_SECONDS,
    COMMIT,
    SEAL,
    STAGING_LAG,
    GENERATION,
    PLANNED,
    GENERATED,
    UNITS,
    OPEN_BATCHES,
    WORKERS,
    RESTARTS,
    QUARANTINED,
    INDEXING,
    WORKER_TOKENS,
    BUSY_SHARE,
    IN_FLIGHT,
    RUNNING,
    WAITING,
    KV_CACHE,
    PREFIX_HITS,
)
FROM_ENGINE = {
    "running": RUNNING,
    "waiting": WAITING,
    "kv_cache_usage": KV_CACHE,
    "prefix_cache_hit_rate": PREFIX_HITS,
}
"""Figures of an engine's own snapshot, and the metrics that show them. Only vLLM has them."""


def corpus_tag(uri: str) -> str:
    """A corpus as a tag: the last part of its address and six digits of the whole one's hash. It
    names no bucket and no user."""
    last = re.sub(r"[^A-Za-z0-9_.-]+", "-", uri.rstrip("/").rpartition("/")[2])[:40]
    return f"{last}-{sha256_hex(uri.rstrip('/').encode())[:6]}"


def metric_table() -> str:
    """The table as Markdown, for the documentation."""
    rows = [
        f"| `{m.exported}` | {m.kind.value} | {', '.join(m.tags) or '-'} | {m.help} |"
        for m in METRICS
    ]
    return "\n".join(["| metric | kind | tags besides corpus | what |", "| --- " * 4 + "|", *rows])
