"""Writes the dashboard beside this file: `python cluster/grafana/generate.py`."""

from pathlib import Path

from seedcorn.core.dashboard import dashboard_json

TARGET = Path(__file__).with_name("dashboard.json")

if __name__ == "__main__":
    TARGET.write_text(dashboard_json(), encoding="utf-8")
