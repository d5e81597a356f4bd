"""What stands beside the nights' pages: the charts' script, the list, the last page under its own name.

Through the store's five operations alone, so an object store holds the same as a folder.
"""

from collections.abc import Sequence

from seedcorn.commands.night.index import index_page
from seedcorn.commands.report.page import plotting_script
from seedcorn.core.ledger.document import LedgerDocument
from seedcorn.core.night.chronicle import Round
from seedcorn.core.night.night import INDEX, LATEST, REPORTS
from seedcorn.storage.stores.store import Store


def put_script(store: Store) -> None:
    """The charts' script, unless it stands there whole."""
    name, script = plotting_script()
    key = f"{REPORTS}{name}"
    if not any(info.key == key and info.size == len(script) for info in store.list(key)):
        store.put(key, script)


def put_list(store: Store, document: LedgerDocument, rounds: Sequence[Round], title: str) -> None:
    """The list of all nights, and the newest night's page as the last one."""
    keys = sorted(info.key for info in store.list(f"{REPORTS}night-"))
    pages = [key for key in keys if key.endswith(".html")]
    if pages:
        store.put(LATEST, store.get(pages[-1]))
    store.put(INDEX, index_page(document, rounds, pages, title).encode())
