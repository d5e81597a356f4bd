"""Where log lines go and what they look like: plain, or JSON where SEEDCORN_LOG=json."""

import logging
import os
import sys
from collections.abc import Mapping

from seedcorn.core.ops.log_lines import JsonLines
from seedcorn.core.recipe.secrets import without_secrets
from seedcorn.runtime.log_format import VARIABLE, json_wanted


def environment() -> dict[str, str]:
    """What an actor's process must be told, so that it logs as its driver does."""
    return {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}


def line_handler(known: Mapping[str, str | int] | None = None) -> logging.Handler:
    """Lines on standard error. `known` are ids of every line of this process, told in JSON only."""
    handler = logging.StreamHandler(sys.stderr)
    plain = logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S")
    handler.setFormatter(Redacting(JsonLines(known) if json_wanted() else plain))
    return handler


class Redacting(logging.Formatter):
    """Formats as `inner` does, tracebacks included, and takes the environment's secrets out."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """One record without a secret."""
        return without_secrets(self._inner.format(record), os.environ)


def log_here(corpus: str, generation: int) -> None:
    """Log from an actor's process, from here on about this generation. Ray keeps what it writes."""
    root = logging.getLogger("seedcorn")
    for old in [handler for handler in root.handlers if handler.name == __name__]:
        root.removeHandler(old)
    handler = line_handler({"corpus": corpus, "generation": generation, "pid": os.getpid()})
    handler.name = __name__
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    root.propagate = False
