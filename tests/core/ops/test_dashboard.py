"""The Grafana dashboard: what is committed is what the code makes, and asks for what it exports."""

import json
import re
import runpy
from itertools import combinations
from pathlib import Path

from seedcorn.core.ops.dashboard import COLUMNS, dashboard, dashboard_json, queries
from seedcorn.core.ops.metrics import METRICS, Kind

FOLDER = Path(__file__).parents[3] / "cluster" / "grafana"
NAME = re.compile(r"ray_\w+")


def exported() -> set[str]:
    """Series that the run exports; of a histogram, those that queries may use."""
    plain = {metric.exported for metric in METRICS if metric.kind is not Kind.HISTOGRAM}
    return plain | {f"{m.exported}_bucket" for m in METRICS if m.kind is Kind.HISTOGRAM}


def test_committed_dashboard_and_page_are_the_generated_ones():
    made = runpy.run_path(str(FOLDER / "generate.py"))["files"]()

    assert set(made) == {"dashboard.json", "README.md"}
    assert made["dashboard.json"] == dashboard_json()
    for name, text in made.items():
        committed = (FOLDER / name).read_text(encoding="utf-8")
        assert committed == text, "run: python cluster/grafana/generate.py"


def test_every_query_names_exported_metrics_and_every_metric_is_shown():
    asked = [set(NAME.findall(query)) for query in queries()]

    assert all(asked)
    assert set().union(*asked) == exported()


def test_json_asks_exactly_the_queries_for_the_corpora_that_were_chosen():
    board = json.loads(dashboard_json())
    targets = [t["expr"] for panel in board["panels"] for t in panel.get("targets", [])]
    names = {variable["name"] for variable in board["templating"]["list"]}

    assert targets == queries()
    assert all('corpus=~"$corpus"' in query for query in queries())
    used = set(re.findall(r"\$\{?([a-z]\w*)\}?", dashboard_json()))
    assert used == names == {"corpus", "source"}


def test_panels_have_numbers_of_their_own_and_do_not_overlap():
    panels = dashboard()["panels"]

    assert len({panel["id"] for panel in panels}) == len(panels)
    boxes = [panel["gridPos"] for panel in panels]
    assert all(box["x"] + box["w"] <= COLUMNS for box in boxes)
    for one, other in combinations(boxes, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or above
