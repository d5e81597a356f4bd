"""The least rights on a bucket: readers need Read and List, and `grow` without Write starts nothing."""

import os
from contextlib import contextmanager

import pytest

from seedcorn.cli import main
from seedcorn.core.errors import StoreError
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log import LogReader
from seedcorn.storage.object_store import ObjectStore
from seedcorn.storage.opening import open_store
from tests.commands.conftest import write_recipe
from tests.growing import grow_in_process
from tests.servers.seaweedfs import seaweedfs

READER = {"AWS_ACCESS_KEY_ID": "reader-key", "AWS_SECRET_ACCESS_KEY": "reader-secret-0001"}


@contextmanager
def credentials(values):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """(URI, endpoint, recipe path) of a grown corpus on a server that also knows a reader."""
    folder = tmp_path_factory.mktemp("rights")
    reader = (READER["AWS_ACCESS_KEY_ID"], READER["AWS_SECRET_ACCESS_KEY"])
    with seaweedfs(folder, reader=reader) as server, credentials(server.environment()):
        from seedcorn.config import load_recipe

        uri = f"s3://{server.bucket}/rights"
        store = {"endpoint": server.endpoint}
        path = write_recipe(folder, corpus=uri, store=store, samples=16, generations=1)
        loaded = load_recipe(path)
        grow_in_process(loaded.recipe, uri, loaded.base)
        yield uri, server.endpoint, path


@pytest.mark.s3
@pytest.mark.parametrize("command", ["ledger", "files", "verify", "show", "forecast"])
def test_reading_commands_need_no_right_to_write(command, corpus, capsys):
    uri, endpoint, _ = corpus
    with credentials(READER):
        assert main([command, uri, f"store.endpoint={endpoint}"]) == 0, capsys.readouterr().err


@pytest.mark.s3
def test_key_that_only_reads_cannot_change_the_corpus(corpus):
    uri, endpoint, _ = corpus
    with credentials(READER):
        store = open_store(uri, StoreSpec(endpoint=endpoint, deadline_s=10))
        assert isinstance(store, ObjectStore)
        entries = len(list(LogReader(store)))
        for change in (
            lambda: store.put("data/x", b"x"),
            lambda: store.put_if_absent("log/9999999999.json", b"x"),
            lambda: store.delete("log/0000000000.json"),
        ):
            with pytest.raises(StoreError, match=r"access refused|AccessDenied"):
                change()
        assert len(list(LogReader(store))) == entries


@pytest.mark.s3
def test_grow_with_a_key_that_only_reads_stops_before_anything_starts(corpus, capsys):
    uri, endpoint, path = corpus
    with credentials(READER):
        before = sorted(info.key for info in open_store(uri, StoreSpec(endpoint=endpoint)).list(""))
        code = main(["grow", path, "generations=2", "store.deadline_s=10"])
        after = sorted(info.key for info in open_store(uri, StoreSpec(endpoint=endpoint)).list(""))
    told = capsys.readouterr().err
    assert code == 1
    assert "access refused" in told
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in told
    assert READER["AWS_SECRET_ACCESS_KEY"] not in told
    assert before == after
