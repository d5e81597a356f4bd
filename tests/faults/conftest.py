"""What the short campaigns of real processes share: server, undisturbed corpus, traced steps."""

import pytest

from tests.faults.processes.campaign import Rows
from tests.servers.seaweedfs import SeaweedServer


@pytest.fixture(scope="session")
def rows(seaweedfs_server: SeaweedServer, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """Runs parts of the campaign, in small."""
    return Rows(tmp_path_factory.mktemp("faults"), seaweedfs_server, 1, lambda line: None)
