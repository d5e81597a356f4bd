"""Telling somebody: one JSON document to one URL, at most once, within a time limit.

The URL is a secret (whoever has it may post), so it is never printed, not even in an error. A
message that cannot be sent is a warning: nothing waits for it and nothing fails by it.
"""

import json
import logging
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

logger = logging.getLogger(__name__)
TIMEOUT_S = 10.0


def notify(url: str, message: Mapping[str, Any], timeout_s: float = TIMEOUT_S) -> bool:
    """POST `message` as JSON; returns whether it was taken (2xx). Follows no redirect."""
    try:
        parts = urlsplit(url)
        host = parts.hostname if parts.scheme in ("http", "https") else None
    except ValueError:
        host = None
    if not host:
        logger.warning(
            "webhook: the URL in the environment is not an http(s) URL; nothing was sent"
        )
        return False
    data = json.dumps(message, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "seedcorn"}
    try:
        request = Request(url, data, headers, method="POST")
        with _opener().open(request, timeout=timeout_s) as answer:
            return 200 <= answer.status < 300
    except (OSError, HTTPException, ValueError) as error:
        status = getattr(error, "code", None)
        what = f"HTTP {status}" if status else type(error).__name__
        logger.warning(
            "webhook: %s did not accept the summary (%s); continuing without it", host, what
        )
        return False


def _opener() -> OpenerDirector:
    """Without redirects, which would turn the POST into a GET elsewhere: they count as refusals."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    opener.add_handler(HTTPErrorProcessor())
    opener.add_handler(HTTPDefaultErrorHandler())
    return opener
