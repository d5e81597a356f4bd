"""Two drivers on one corpus: refused by name, or fenced after a takeover (P6)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seedcorn.core.errors import CorpusBusy
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.runtime.conftest import SIMULATED, Loader, ignore
from tests.runtime.processes import objects_at_least

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


def start_driver(corpus: Path, address: str) -> subprocess.Popen[str]:
    """A slow `grow` in another process, returned once it has committed something."""
    overrides = (
        *(f"corpus={corpus}", "samples=600", "units.unit=32", "units.batch=4"),
        *("engine.simulated.concurrency=8", "engine.simulated.latency_s=0.3"),
        *("run.heartbeat_s=0.2", "run.lease_s=2", f"run.ray_address={address}"),
    )
    command = [sys.executable, "-m", "seedcorn.cli", "grow", SIMULATED, *overrides]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    committed = objects_at_least(corpus / "data", 1)
    while driver.poll() is None and not committed():
        try:
            driver.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
    assert driver.poll() is None, driver.stdout.read() if driver.stdout else ""
    return driver


def test_grow_second_driver_is_refused_and_one_that_takes_over_loses_nothing(
    simulated: Loader, ray_cluster: str, undisturbed: tuple[str, str, object], tmp_path: Path
) -> None:
    driver = start_driver(tmp_path / "corpus", ray_cluster)
    try:
        with pytest.raises(CorpusBusy) as refusal:
            grow(simulated(), ignore, open_cluster)
        assert str(driver.pid) in str(refusal.value)
        assert os.uname().nodename in str(refusal.value)
        assert refusal.value.exit_code == 75
        assert driver.poll() is None
        assert grow(simulated("takeover=true"), ignore, open_cluster).complete
        output, _ = driver.communicate(timeout=60)
    finally:
        driver.kill()
        driver.wait()
    assert driver.returncode == 1
    assert "took over" in output
    store = LocalStore(tmp_path / "corpus")
    assert verify(store, recipe_from_dict).ok
    assert corpus_digest(store) == undisturbed[0]
