"""Log lines as JSON, one object a line, each with the ids of what it is about.

A line says when, how bad, from where, what, and as far as known: corpus, generation, batch, unit,
slot. Ids come from three places, the later ones winning: the process (`JsonLines(ids)`), the task
(`bind`) and the call (`extra=ids(...)`). Plain formatters ignore them.
"""

import json
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

_bound: ContextVar[Mapping[str, Any] | None] = ContextVar("seedcorn_log_ids", default=None)
IDS, FIGURES = "ids", "figures"


def bind(**known: str | int) -> None:
    """Ids of every line that this task, and the tasks it starts from here on, log."""
    _bound.set({**(_bound.get() or {}), **known})


def ids(**known: str | int) -> dict[str, Any]:
    """Ids of one line: `logger.info("…", extra=ids(batch=7))`."""
    return {IDS: known}


class JsonLines(logging.Formatter):
    """Formats records as JSON with sorted places: at, level, logger, message, ids, figures, error."""

    def __init__(self, known: Mapping[str, str | int] | None = None) -> None:
        """`known` are the ids of every line of this process."""
        super().__init__()
        self._known = dict(known or {})

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._known,
            **(_bound.get() or {}),
            **getattr(record, IDS, {}),
            **getattr(record, FIGURES, {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str, allow_nan=True)
