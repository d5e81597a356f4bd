"""A night's report, as JSON and as a page, written to the store beside the corpus, with what stands
beside the nights' pages: the list of them, the last one under a name that stays, the charts' script.

Made from the log up to where the next generation begins, so it is the same whenever it is made; a
report that a crash has left out is written by the next start. Reports are for people: nothing reads
them, `verify` and `gc` do not know them.
"""

import json
from collections.abc import Iterator
from typing import Any

from seedcorn.commands.night.beside import put_list, put_script
from seedcorn.commands.night.page import night_page
from seedcorn.commands.report.examples import find_examples
from seedcorn.commands.report.pairs import find_pairs
from seedcorn.core.decisions.outlook import StratumOutlook, outlooks, row_of
from seedcorn.core.errors import ObjectMissing
from seedcorn.core.ledger.document import LedgerDocument
from seedcorn.core.ledger.ledger import Ledger, to_json
from seedcorn.core.log.entries import Entry
from seedcorn.core.log.state import CorpusState
from seedcorn.core.night.chronicle import chronicle, until_next
from seedcorn.core.night.document import NightReport
from seedcorn.core.night.night import DONE, Night, Rest, night_key, report_key
from seedcorn.core.night.report import night_report, skipped
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.reading import read_ledger, read_state
from seedcorn.storage.stores.store import Store

LOOKED_BACK = 2
"""Newest nights whose report is written where it is missing: older ones may have been deleted."""
PAIRS = 1
"""Duplicates of each kind on the page."""


def write_reports(store: Store, spec: StoreSpec, night: Night, rest: Rest) -> list[NightReport]:
    """Write the reports that are missing, tonight's included; returns them, oldest first.

    `rest` says why tonight's run has ended: unless tonight's generation is done, tonight is
    reported as a night that grew nothing.
    """
    entries = list(read_log(store))
    if not entries:
        return []
    found: list[NightReport] = []
    until, document = list[Entry](), None
    for number in _unreported(store, read_state(store, entries)):
        until = list(until_next(entries, number))
        ledger = read_ledger(store, until)
        document = to_json(ledger)
        found.append(night_report(document, chronicle(until), _outlook(ledger)))
        _write(store, spec, until, document, found[-1])
    if rest.why != DONE and _reported(store, night.key, "reason") != rest.why:
        until, document = entries, to_json(read_ledger(store, entries))
        found.append(skipped(night.key, rest.why, rest.text, document, chronicle(entries)))
        _write(store, spec, entries, document, found[-1])
    if found:
        if document is None or len(until) < len(entries):
            document = to_json(read_ledger(store, entries))
        put_list(store, document, chronicle(entries), title_of(store))
    return found


def _unreported(store: Store, state: CorpusState) -> Iterator[int]:
    """Generations of the newest nights that have no report, oldest first."""
    nightly = [number for number, one in state.standing.items() if night_key(one)]
    for number in nightly[-LOOKED_BACK:]:
        generation = state.generations[number]
        if generation.finished:
            reported = _reported(store, night_key(generation), "generation")
            if reported != number:
                yield number


def _reported(store: Store, night: str, figure: str) -> Any:
    """A figure of the night's report if it stands there, whole: the JSON is written last."""
    try:
        return json.loads(store.get(report_key(night, "json")))[figure]
    except (ObjectMissing, ValueError, KeyError, TypeError):
        return None


def _outlook(ledger: Ledger) -> StratumOutlook | None:
    """What as many samples again would add, as the last generation drew them."""
    if not ledger.seen or not ledger.accounts[-1].samples:
        return None
    whole, *_ = outlooks(ledger, samples=ledger.accounts[-1].samples)
    return row_of(whole)


def _write(
    store: Store,
    spec: StoreSpec,
    entries: list[Entry],
    document: LedgerDocument,
    report: NightReport,
) -> None:
    state = read_state(store, entries)
    pairs = find_pairs(store, spec, state, PAIRS)
    own = report["generation"]
    examples = find_examples(store, state, [state.generations[own]] if own is not None else [])
    page = night_page(report, {"corpus": store.uri, **document}, pairs, title_of(store), examples)
    put_script(store)
    store.put(report_key(report["night"], "html"), page.encode())
    data = json.dumps({"corpus": store.uri, **report}, indent=2, ensure_ascii=False)
    store.put(report_key(report["night"], "json"), data.encode())


def title_of(store: Store) -> str:
    """What the corpus is called on its pages: the last part of where it stands."""
    return store.uri.rstrip("/").rpartition("/")[2]
