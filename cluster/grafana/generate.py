"""Writes the dashboard and its page beside this file: `python cluster/grafana/generate.py`."""

from pathlib import Path

from seedcorn.core.ops.dashboard import dashboard_json
from seedcorn.core.ops.metrics import metric_table

HERE = Path(__file__).parent
PAGE = """# Watching a run

Made by `generate.py` from `seedcorn/core/ops/metrics.py`; do not edit it here.

Import [dashboard.json](dashboard.json) into Grafana and choose the Prometheus that scrapes Ray. Ray exports on every
node, with or without its own dashboard: `ray metrics launch-prometheus`, a KubeRay PodMonitor on the port
`metrics-export-port`, or the file `prom_metrics_service_discovery.json` in Ray's session folder tell Prometheus where.
Figures arrive every ten seconds. The driver exports for all its workers, so they come from the driver's node.

All of it is to look at. What a corpus holds and what it cost is in the log: `seedcorn ledger CORPUS`. Counters begin
anew with every driver and hold what that driver committed. Histograms are as exact as their buckets.
With `SEEDCORN_LOG=json` log lines are JSON objects with the same corpus in full, generation, batch and unit.

"""


def files() -> dict[str, str]:
    """Names and texts of what is generated."""
    return {"dashboard.json": dashboard_json(), "README.md": f"{PAGE}{metric_table()}\n"}


if __name__ == "__main__":
    for name, text in files().items():
        (HERE / name).write_text(text, encoding="utf-8")
