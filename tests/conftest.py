"""What all tests share: a clean environment, and one object store for the session."""

import os
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from hypothesis import settings

from tests.servers.seaweedfs import SeaweedServer, seaweedfs

# Shared machines are noisy, so no example has a deadline; SEEDCORN_EXAMPLES=1000 looks harder.
settings.register_profile(
    "seedcorn", max_examples=int(os.environ.get("SEEDCORN_EXAMPLES", "30")), deadline=None
)
settings.load_profile("seedcorn")

NEVER_INHERITED = ("AWS_", "S3_", "RAY_ADDRESS", "FSSPEC_", "OPENAI_")
"""A developer's credentials and clusters are no input of a test."""
LOOPBACK = "127.0.0.1,localhost"


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """Variables that would make a test depend on who runs it are gone for the session."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(NEVER_INHERITED) and name != "AWS_CA_BUNDLE":
            del os.environ[name]
    for name in ("NO_PROXY", "no_proxy"):
        os.environ[name] = ",".join(filter(None, [before.get(name), LOOPBACK]))
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def seaweedfs_server(
    clean_environment: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SeaweedServer]:
    """A SeaweedFS server; its credentials are in the environment for the session."""
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        os.environ.update(server.environment())
        yield server


@pytest.fixture(scope="session")
def s3_uri(seaweedfs_server: SeaweedServer) -> Callable[[], str]:
    """Makes a fresh s3:// prefix at each call; pair it with `seaweedfs_server.endpoint`."""
    numbers = count()
    return lambda: f"s3://{seaweedfs_server.bucket}/fresh-{next(numbers):04d}"
