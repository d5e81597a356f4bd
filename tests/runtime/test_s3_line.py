"""The whole line on a real object store: the same corpus as on a disk, and no secret in it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from ray._private import worker

from seedcorn.config import recipe_from_dict
from seedcorn.core.recipe import Recipe
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.runtime.conftest import Loader, account, ignore
from tests.servers.seaweedfs import SeaweedServer

pytestmark = [pytest.mark.s3, pytest.mark.ray, pytest.mark.timeout(300)]


def test_grow_on_s3_gives_the_local_corpus_and_stores_no_credentials(
    simulated: Loader,
    undisturbed: tuple[str, str, Recipe],
    seaweedfs_server: SeaweedServer,
    s3_uri: Callable[[], str],
) -> None:
    loaded = simulated(f"corpus={s3_uri()}", f"store.endpoint={seaweedfs_server.endpoint}")
    assert grow(loaded, ignore, open_cluster).complete
    store = open_store(loaded.recipe.corpus, loaded.recipe.store)
    report = verify(store, recipe_from_dict, loaded.recipe.store)
    assert report.ok, report.broken
    assert corpus_digest(store) == undisturbed[0]
    assert account(store) == undisturbed[1]

    secrets = [s.encode() for s in (seaweedfs_server.access_key, seaweedfs_server.secret_key)]
    keys = [item.key for item in store.list("")]
    assert any(key.startswith("log/") for key in keys)
    assert any(key.startswith("checkpoints/") for key in keys)
    leaks = [key for key in keys if any(secret in store.get(key) for secret in secrets)]
    leaks += [
        path for path in written_by_ray() if any(secret in path.read_bytes() for secret in secrets)
    ]
    assert not leaks


def written_by_ray() -> list[Path]:
    """Everything that Ray and its processes wrote: logs, jobs, configuration, spilled objects."""
    folder = Path(worker._global_node.get_session_dir_path())
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name.startswith("worker-") for path in files)
    return files
