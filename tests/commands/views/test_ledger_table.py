"""The ledger's tables fit a terminal of 80 columns, and never lose a figure where they cannot."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from seedcorn.commands.views.ledger_table import (
    SHOWN,
    TOKEN_KIND_LINES,
    details,
    print_ledger,
)
from seedcorn.core.intervals import Interval
from seedcorn.core.ledger.alarms import Alarm
from seedcorn.core.log.entries import Decision
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store


@pytest.fixture(scope="module")
def ledger(grown):
    return read_ledger(open_store(grown[1], StoreSpec()))


def printed(width, rows, strata=()):
    paper = io.StringIO()
    print_ledger(Console(file=paper, width=width, markup=False), rows, strata)
    return paper.getvalue()


def test_ledger_tables_fit_eighty_columns_with_whole_headings(ledger):
    text = printed(80, ledger.rows(), ledger.strata())
    tables = [
        line
        for line in text.splitlines()
        if not line.startswith(("Look", "Stop", "gen 1 ", "gen 2 ", "uat"))
    ]
    assert max(map(len, tables)) <= 80
    for heading in ("planned", "accepted", "duplicate", "rejected", "failed", "exclusive"):
        assert heading in text


def test_figures_too_wide_for_the_terminal_are_broken_and_not_cut(ledger):
    row = replace(ledger.rows()[0], planned=10**15)
    text = printed(60, [row])
    assert "…" not in text
    assert text.count("0") >= 15


def test_unknown_unique_is_a_dash_with_the_reason(ledger):
    unknown = {"unique_tokens": None, "unique_share": None, "short": None}
    row = replace(ledger.rows()[0], unique={}, unknown="no sketch", yield_per_token=None, **unknown)
    text = printed(160, [row])
    assert "U unknown: no sketch" in text
    assert " - " in text


def test_estimated_unique_has_its_interval(ledger):
    row = replace(ledger.rows()[0], unique_tokens=Interval(41_000.0, 40_000.0, 42_000.0))
    assert "41.0 k (40.0 k to 42.0 k)" in printed(160, [row])


def test_details_tell_withdrawals_and_what_is_unfinished(ledger):
    row = ledger.rows()[0]
    row = replace(row, withdrawn={"samples": 3, "tokens": 90}, status="running", committed=24)
    text = "\n".join(details(row))
    assert "withdrawn: 3 samples; net unique " in text
    assert "unfinished: 24 of 48 samples committed" in text


def test_details_tell_decisions_then_alarms_up_to_a_number(ledger):
    stop = Decision(1, 9, "stop", {"samples": 300}, "300 of 300 wanted")
    alarms = [Alarm(n, "retell", "openings", 0.6, 0.1, "61% open alike") for n in range(SHOWN + 3)]
    row = replace(ledger.rows()[0], decisions=(stop,), alarms=tuple(alarms))
    told = [line for line in details(row) if "decided" in line or "alarm" in line]
    assert told[0] == "gen 1  decided for batch 9: stop, 300 of 300 wanted"
    assert told[1] == "gen 1  alarm in batch 0, retell: 61% open alike"
    assert len(told) == SHOWN + 2
    assert told[-1] == "gen 1  3 more alarms, see --json"


def test_details_tell_what_engine_time_went_into_where_it_was_measured(ledger):
    row = ledger.rows()[0]
    spent = {"useful": 71.0, "duplicate": 3.0, "rejected": 9.0, "regenerated": 1.0}
    told = details(replace(row, engine_time=spent | {"starting": 12.0, "idle": 4.0}))
    share = "71 % useful, 3 % duplicate, 9 % rejected, 1 % regenerated, 12 % starting, 4 % idle"
    assert f"gen 1  engine time: {share}" in told
    assert "engine time" not in "".join(details(replace(row, engine_time={})))


def test_ledger_without_generations_says_so():
    assert printed(80, []) == "no generation has started yet\n"


def test_unit_is_explained_in_one_line(ledger):
    assert printed(80, ledger.rows()).splitlines()[-1] == " ".join(
        TOKEN_KIND_LINES[2, "uat"].split()
    )
