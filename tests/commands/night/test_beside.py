"""What stands beside the nights' pages, on a folder and on an object store alike."""

import pytest

from seedcorn.commands.night.beside import put_list, put_script
from seedcorn.commands.report.page import plotting_script
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.stores.opening import open_store
from tests.commands.night.test_index import rounds
from tests.commands.report.report_document import document

NAME, SCRIPT = plotting_script()


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.s3)])
def store(request, tmp_path):
    """An empty store of either kind."""
    if request.param == "folder":
        return open_store(str(tmp_path), StoreSpec())
    server = request.getfixturevalue("seaweedfs_server")
    uri = request.getfixturevalue("s3_uri")()
    return open_store(uri, StoreSpec(endpoint=server.endpoint))


def keys(store):
    """What stands in reports/."""
    return sorted(info.key for info in store.list("reports/"))


def test_list_and_last_page_stand_beside_the_nights_pages(store):
    for day in (3, 4, 1):
        store.put(f"reports/night-2026-11-0{day}.html", b"page %d" % day)
        store.put(f"reports/night-2026-11-0{day}.json", b"{}")
    put_script(store)
    put_list(store, document(), rounds(), "lakes")
    assert store.get("reports/latest.html") == b"page 4"
    assert store.get(f"reports/{NAME}") == SCRIPT
    index = store.get("reports/index.html").decode()
    for day in (1, 3, 4):
        assert f'href="night-2026-11-0{day}.html"' in index
    assert "night-2026-11-02.html" not in index
    assert len(keys(store)) == 9


def test_script_is_written_again_only_where_it_is_not_whole(store):
    put_script(store)
    marked = SCRIPT[:-1] + b" "
    store.put(f"reports/{NAME}", marked)
    put_script(store)
    assert store.get(f"reports/{NAME}") == marked
    store.put(f"reports/{NAME}", SCRIPT[:1000])
    put_script(store)
    assert store.get(f"reports/{NAME}") == SCRIPT


def test_list_without_a_page_names_no_last_night(store):
    put_list(store, document(), rounds(), "lakes")
    assert keys(store) == ["reports/index.html"]
    assert b"latest.html" not in store.get("reports/index.html")
