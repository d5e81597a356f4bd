"""The least rights on a bucket: readers need Read and List, `grow` without Write starts nothing, and
whoever changes a corpus needs Write below it and nowhere else."""

import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest

from seedcorn.cli import main
from seedcorn.config import load_recipe
from seedcorn.core.errors import StoreError
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.log import LogReader
from seedcorn.storage.stores.object_store import ObjectStore
from seedcorn.storage.stores.opening import open_store
from tests.commands.conftest import write_recipe
from tests.corpora.growing import grow_in_process
from tests.servers.seaweedfs import BUCKET, seaweedfs

READER = {"AWS_ACCESS_KEY_ID": "reader-key", "AWS_SECRET_ACCESS_KEY": "reader-secret-0001"}
GROWER = {"AWS_ACCESS_KEY_ID": "grower-key", "AWS_SECRET_ACCESS_KEY": "grower-secret-0001"}
CORPUS, SEEDS = "rights", "seeds/lakes.txt"
"""Below the bucket. The grower may write below the first only."""


@contextmanager
def credentials(values):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """(URI, endpoint, recipe path) of a grown corpus, its seed beside it in the bucket, on a server
    that also knows a reader and a grower."""
    folder = tmp_path_factory.mktemp("rights")
    below = f"Write:{BUCKET}/{CORPUS}/*"
    others = [(*READER.values(), ["Read", "List"]), (*GROWER.values(), ["Read", "List", below])]
    with seaweedfs(folder, others) as server, credentials(server.environment()):
        uri, store = f"s3://{server.bucket}/{CORPUS}", {"endpoint": server.endpoint}
        seed = {"name": "lakes", "path": f"s3://{server.bucket}/{SEEDS}", "split": "line"}
        path = write_recipe(folder, corpus=uri, store=store, samples=16, generations=1, seed=[seed])
        bucket = open_store(f"s3://{server.bucket}", StoreSpec(endpoint=server.endpoint))
        bucket.put(SEEDS, (folder / "lakes.txt").read_bytes())
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


@pytest.mark.s3
@pytest.mark.ray
def test_growing_needs_no_right_to_write_beyond_the_corpus(corpus):
    uri, endpoint, path = corpus
    fresh = [f"corpus={uri}/fresh", "dedup.checkpoint_every=1", "units.batch=1", "generations=2"]
    command = [sys.executable, "-m", "seedcorn.cli", "grow", path, *fresh]
    with credentials(GROWER):
        grown = subprocess.run(command, capture_output=True, text=True, timeout=300)
        store = open_store(f"{uri}/fresh", StoreSpec(endpoint=endpoint))
        keys = {info.key.split("/")[0] for info in store.list("")}
        bucket = open_store(f"s3://{BUCKET}", StoreSpec(endpoint=endpoint, deadline_s=10))
        with pytest.raises(StoreError, match=r"access refused|AccessDenied"):
            bucket.put(SEEDS, b"other words")
    assert grown.returncode == 0, grown.stdout + grown.stderr
    assert {"data", "dropped", "log", "checkpoints"} <= keys


@pytest.mark.s3
def test_withdrawing_auditing_and_collecting_need_no_right_to_write_beyond_the_corpus(
    corpus, tmp_path, capsys
):
    uri, endpoint, path = corpus
    loaded = load_recipe(path)
    uri, where = f"{uri}/changed", f"store.endpoint={endpoint}"
    drawn = tmp_path / "audit.jsonl"
    with credentials(GROWER):
        grow_in_process(loaded.recipe, uri, loaded.base)
        assert main(["audit", uri, where, "-n", "4", "-o", str(drawn)]) == 0
        lines = [json.loads(line) for line in drawn.read_text().splitlines()]
        answered = [json.dumps(line | {"verdict": True}) for line in lines]
        drawn.write_text("\n".join(answered))
        assert main(["audit", uri, where, "--verdicts", str(drawn)]) == 0, capsys.readouterr().err
        store = open_store(uri, StoreSpec(endpoint=endpoint))
        dead = "data/gen-0001/part-00000000-00000001-0123456789abcdef.parquet"
        store.put(dead, b"x")
        why = ["--where", "stratum=invent", "--reason", "a test"]
        assert main(["withdraw", uri, where, *why]) == 0, capsys.readouterr().err
        assert main(["gc", uri, where]) == 0, capsys.readouterr().err
        assert dead not in {info.key for info in store.list("data/")}
        assert main(["verify", uri, where]) == 0
