"""A recipe as a first user writes it, and commands on it in this process, without Ray."""

import yaml

from seedcorn.cli import main

MONTHS = ("March", "April", "May", "June", "July", "August")
GARDENS = [
    f"In {month} the gardener of plot {plot} sowed {seeds} rows and wrote down every frost, "
    f"the rain of {plot + seeds} days, and who came to help with the digging."
    for plot, month in enumerate(MONTHS * 4, 1)
    for seeds in (plot % 5 + 2,)
]
"""Two dozen documents, one a line."""
RECIPE = {
    "name": "gardens",
    "corpus": "corpus",
    "samples": 24,
    "seed": [{"name": "plots", "path": "gardens.txt", "split": "line"}],
    "prompts": [{"name": "retell", "template": "Tell this again: {{ parent }}"}],
    "engine": {
        "kind": "simulated",
        "sampling": {"max_tokens": 64},
        "simulated": {"words": 30, "concurrency": 8},
    },
    "units": {"unit": 8, "batch": 2},
    "ledger": {"companions": 0},
    "run": {"ray_address": "none"},
}


def write_recipe(folder, **changes):
    """A recipe file with its seed beside it, its corpus in the same folder; returns its path."""
    (folder / "gardens.txt").write_text("\n".join(GARDENS), encoding="utf-8")
    path = folder / "gardens.yaml"
    whole = RECIPE | {"corpus": str(folder / "corpus")} | changes
    path.write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
    return path


def seedcorn(*words):
    """The exit code of a command line."""
    return main([str(word) for word in words])
