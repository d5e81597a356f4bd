"""Log lines as JSON: one object a line, ids from process, task and call."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator

import pytest

from seedcorn.core.ops.log_lines import JsonLines, bind, ids


@pytest.fixture
def written() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of its own that writes JSON with a corpus, and what it wrote."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines({"corpus": "s3://bucket/corn"}))
    logger = logging.getLogger("seedcorn.test_log_lines")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield logger, stream
    logger.removeHandler(handler)


def lines(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_says_when_how_bad_what_and_about_what(written):
    logger, stream = written

    logger.warning("unit %d is late: %s", 7, 'disk "full"\nagain', extra=ids(unit=7, batch=1))

    (line,) = lines(stream)
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "warning",
        "logger": "seedcorn.test_log_lines",
        "message": 'unit 7 is late: disk "full"\nagain',
        "corpus": "s3://bucket/corn",
        "unit": 7,
        "batch": 1,
    }


def test_tasks_know_what_their_parents_bound_and_keep_their_own_to_themselves(written):
    logger, stream = written

    async def child(slot: int) -> None:
        bind(slot=slot)
        await asyncio.sleep(0)
        await asyncio.to_thread(logger.info, "child")

    async def parent() -> None:
        bind(generation=3)
        await asyncio.gather(child(0), child(1))
        logger.info("parent")

    asyncio.run(parent())
    logger.info("outside")

    told = [(line["message"], line.get("generation"), line.get("slot")) for line in lines(stream)]
    assert sorted(told[:2]) == [("child", 3, 0), ("child", 3, 1)]
    assert told[2:] == [("parent", 3, None), ("outside", None, None)]


def test_error_is_one_line_with_its_traceback(written):
    logger, stream = written
    try:
        raise ValueError("bad corn")
    except ValueError:
        logger.exception("stopped")

    (line,) = lines(stream)
    assert line["error"].splitlines()[-1] == "ValueError: bad corn"
