"""The decision that lowers the sample rate falls at the same place whoever dies when."""

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from seedcorn.core.log.entries import BatchCommitted, Decision
from seedcorn.core.log.layout import CHECKPOINTS, log_key
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.log.log import read_log
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.runtime.conftest import Loader, account, ignore

pytestmark = pytest.mark.timeout(300)


def test_grow_killed_between_a_batch_and_its_decision_estimates_as_undisturbed(
    without_ray: Loader, tmp_path: Path
) -> None:
    thin = ("generations=1", "samples=384", "ledger.fingerprints=3000")
    assert grow(without_ray(*thin), ignore, open_cluster).complete
    entries = list(read_log(LocalStore(tmp_path / "corpus")))
    decided = next(
        after.sequence
        for before, after in pairwise(entries)
        if isinstance(before.body, BatchCommitted) and isinstance(after.body, Decision)
    )
    cut = tmp_path / "cut"
    shutil.copytree(tmp_path / "corpus", cut)
    shutil.rmtree(cut / CHECKPOINTS)  # None is written before its entries.
    for entry in entries[decided:]:
        (cut / log_key(entry.sequence)).unlink()
    assert grow(without_ray(*thin, f"corpus={cut}"), ignore, open_cluster).complete
    assert account(LocalStore(cut)) == account(LocalStore(tmp_path / "corpus"))
    assert verify(LocalStore(cut), recipe_from_dict).ok
