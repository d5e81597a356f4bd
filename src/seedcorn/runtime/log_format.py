"""Which form log lines have: cheap to ask, before anything that logs is imported."""

import os

VARIABLE = "SEEDCORN_LOG"


def json_wanted() -> bool:
    """Whether the environment asks for JSON lines."""
    return os.environ.get(VARIABLE, "").strip().lower() == "json"
