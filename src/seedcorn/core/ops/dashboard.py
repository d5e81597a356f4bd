"""The Grafana dashboard, made from the table of metrics: no query can name one that is not exported.

`cluster/grafana/dashboard.json` is what `dashboard_json` returns; a test holds them equal.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seedcorn.core.ops import metrics as m
from seedcorn.core.ops.metrics import CORPUS, Metric
from seedcorn.core.scheduling.goodput import BUSY

UID = "seedcorn"
COLUMNS, HEIGHT = 24, 8
"""Grafana's grid, and the height of a panel on it."""
SOURCE = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True, slots=True)
class Query:
    """One query, and what its lines are called."""

    text: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `unit` is Grafana's name of a unit."""

    title: str
    unit: str
    about: str
    queries: tuple[Query, ...]
    width: int = 8
    stacked: bool = False


def chosen(metric: Metric, suffix: str = "", more: str = "") -> str:
    """The metric's series of the corpora that the reader chose."""
    return f'{metric.exported}{suffix}{{{CORPUS}=~"$corpus"{more}}}'


def rate(metric: Metric, *by: str) -> Query:
    """A counter per second."""
    text = f"sum by ({', '.join((CORPUS, *by))}) (rate({chosen(metric)}[$__rate_interval]))"
    return Query(text, _legend(by, "{{corpus}}"))


def level(metric: Metric, *by: str) -> Query:
    """A gauge. The highest: a driver that died is still shown beside its successor for a while."""
    return Query(
        f"max by ({', '.join((CORPUS, *by))}) ({chosen(metric)})", _legend(by, metric.name)
    )


def percentile(metric: Metric, share: float) -> Query:
    """A share of a histogram's observations takes at most this long."""
    buckets = f"sum by ({CORPUS}, le) (rate({chosen(metric, '_bucket')}[$__rate_interval]))"
    named = metric.name.removeprefix("seedcorn_").removesuffix("_seconds").replace("_", " ")
    return Query(f"histogram_quantile({share}, {buckets})", f"{named}, {share:.0%}")


def rows() -> tuple[tuple[str, tuple[Panel, ...]], ...]:
    """All panels, in rows with a title."""
    return (
        ("What the corpus gains", _gains()),
        ("What engine time goes into", _time()),
        ("Engines", _engines()),
        ("The line", _line()),
    )


def _gains() -> tuple[Panel, ...]:
    progress = f"{level(m.GENERATED).text} / {level(m.PLANNED).text}"
    return (
        _panel("Samples per second", m.SAMPLES, rate(m.SAMPLES, m.OUTCOME), stacked=True),
        _panel("Tokens per second", m.TOKENS, rate(m.TOKENS, m.KIND)),
        _panel("Unique tokens per second", m.UNIQUE_RATE, level(m.UNIQUE_RATE)),
        _panel("Unique tokens of the generation", m.UNIQUE, level(m.UNIQUE)),
        Panel(
            "Progress of the generation",
            "percentunit",
            "Samples committed or staged, of those planned",
            (Query(progress, "{{corpus}}"),),
        ),
        _panel("Generation", m.GENERATION, level(m.GENERATION)),
    )


def _time() -> tuple[Panel, ...]:
    alive = chosen(m.ENGINE_SECONDS, more=f',{m.USE}=~"starting|busy|idle"')
    parts = chosen(m.ENGINE_SECONDS, more=f',{m.USE}!="{BUSY}"')
    return (
        Panel(
            "Goodput",
            "s",
            "Engine time per second by what it went into, as batches commit",
            (Query(_rates(parts, m.USE), "{{use}}"),),
            width=16,
            stacked=True,
        ),
        Panel(
            "Engines alive",
            "short",
            "Engine seconds per second: starting, busy, idle",
            (Query(_rates(alive, m.USE), "{{use}}"),),
            stacked=True,
        ),
    )


def _engines() -> tuple[Panel, ...]:
    return (
        _panel("Tokens per second", m.WORKER_TOKENS, rate(m.WORKER_TOKENS, m.SLOT), stacked=True),
        _panel("Busy share", m.BUSY_SHARE, level(m.BUSY_SHARE, m.SLOT)),
        _panel("Workers", m.WORKERS, level(m.WORKERS)),
        _panel("Requests handed over", m.IN_FLIGHT, level(m.IN_FLIGHT, m.SLOT)),
        _panel("Requests in the batch", m.RUNNING, level(m.RUNNING, m.SLOT)),
        _panel("Requests in the queue", m.WAITING, level(m.WAITING, m.SLOT)),
        _panel("Key-value cache in use", m.KV_CACHE, level(m.KV_CACHE, m.SLOT)),
        _panel("Prefix cache hits", m.PREFIX_HITS, level(m.PREFIX_HITS, m.SLOT)),
        _panel("Restarts", m.RESTARTS, level(m.RESTARTS)),
    )


def _line() -> tuple[Panel, ...]:
    return (
        _panel("Units of the open batches", m.UNITS, level(m.UNITS, m.STATE)),
        _panel("Batches open", m.OPEN_BATCHES, level(m.OPEN_BATCHES)),
        _panel("Samples in quarantine", m.QUARANTINED, level(m.QUARANTINED)),
        _panel("Staging lag", m.STAGING_LAG, *(percentile(m.STAGING_LAG, s) for s in (0.5, 0.95))),
        _panel("Sealing a batch", m.SEAL, *(percentile(m.SEAL, s) for s in (0.5, 0.95))),
        _panel("Commit latency", m.COMMIT, *(percentile(m.COMMIT, s) for s in (0.5, 0.95))),
        _panel("Indexing at the start", m.INDEXING, level(m.INDEXING)),
    )


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    return {
        "uid": UID,
        "title": "seedcorn",
        "description": "A growing corpus: what it gains, and what that costs.",
        "tags": ["ray", "seedcorn"],
        "editable": True,
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [_source(), _corpora()]},
        "panels": _placed(),
    }


def dashboard_json() -> str:
    """The file's text."""
    return json.dumps(dashboard(), indent=2) + "\n"


def queries() -> list[str]:
    """Every query of every panel."""
    return [q.text for _, panels in rows() for panel in panels for q in panel.queries]


def _panel(title: str, metric: Metric, *queries: Query, stacked: bool = False) -> Panel:
    return Panel(title, metric.unit, metric.help, queries, stacked=stacked)


def _rates(series: str, tag: str) -> str:
    return f"sum by ({CORPUS}, {tag}) (rate({series}[$__rate_interval]))"


def _legend(tags: Sequence[str], otherwise: str) -> str:
    return " ".join(f"{{{{{tag}}}}}" for tag in tags) or otherwise


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _corpora() -> dict[str, Any]:
    return {
        "name": CORPUS,
        "label": "Corpus",
        "type": "query",
        "datasource": SOURCE,
        "query": f"label_values({m.GENERATION.exported}, {CORPUS})",
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
    }


def _placed() -> list[dict[str, Any]]:
    """Panels on the grid, filled from the left, every row under a title."""
    placed: list[dict[str, Any]] = []
    top = 0
    for title, panels in rows():
        placed.append(_row(len(placed) + 1, title, top))
        top, left = top + 1, 0
        for panel in panels:
            if left + panel.width > COLUMNS:
                top, left = top + HEIGHT, 0
            at = {"x": left, "y": top, "w": panel.width, "h": HEIGHT}
            placed.append(_drawn(len(placed) + 1, panel, at))
            left += panel.width
        top += HEIGHT
    return placed


def _row(number: int, title: str, top: int) -> dict[str, Any]:
    place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
    return {"id": number, "type": "row", "title": title, "collapsed": False, "gridPos": place}


def _drawn(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    stacking = {"mode": "normal" if panel.stacked else "none"}
    custom = {"fillOpacity": 30 if panel.stacked else 5, "stacking": stacking}
    return {
        "id": number,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.about,
        "gridPos": place,
        "datasource": SOURCE,
        "interval": "15s",
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, "custom": custom},
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {
                "refId": chr(ord("A") + place_of),
                "datasource": SOURCE,
                "expr": query.text,
                "legendFormat": query.legend,
            }
            for place_of, query in enumerate(panel.queries)
        ],
    }
