"""Engines that die, engines that never start, prompts that kill."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from seedcorn.core.errors import RunStopped
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.engines.rude_server import answer
from tests.runtime.conftest import Loader, ignore
from tests.security.garbage import GarbageServer, serving

pytestmark = pytest.mark.timeout(300)


@pytest.mark.ray
def test_grow_poison_prompt_is_failed_alone_and_its_neighbours_live(
    simulated: Loader, tmp_path: Path
) -> None:
    grown = grow(
        simulated(
            *("engine.simulated.poison=[7]", "engine.simulated.concurrency=4"),
            *("generations=1", "samples=64", "units.unit=8"),
        ),
        ignore,
        open_cluster,
    )
    row = grown.rows[0]
    assert row.reasons["failed:engine_death"] == 1
    assert sum(row.counts.values()) == 64
    assert verify(LocalStore(tmp_path / "corpus"), recipe_from_dict).ok


@pytest.mark.ray
@pytest.mark.long  # Waits between attempts: a minute.
def test_grow_endpoint_that_fails_one_question_for_ever_costs_that_sample_alone(
    simulated: Loader, tmp_path: Path
) -> None:
    answers = defaultdict(
        lambda: answer("A text about corn, of some twenty words. " * 3), {"7": 500}
    )
    with serving(GarbageServer(answers)) as url:
        loaded = simulated(
            *("engine.kind=openai", "engine.model=m", f"engine.openai.base_url={url}"),
            *("engine.openai.max_concurrency=4", "generations=1", "samples=24", "units.unit=8"),
        )
        asking = [replace(p, template="{{ index }} " + p.template) for p in loaded.recipe.prompts]
        grown = grow(
            replace(loaded, recipe=replace(loaded.recipe, prompts=asking)), ignore, open_cluster
        )
    row = grown.rows[0]
    failed = {why: count for why, count in row.reasons.items() if why.startswith("failed:")}
    assert failed == {"failed:engine_death": 1}
    assert sum(row.counts.values()) == 24
    assert verify(LocalStore(tmp_path / "corpus"), recipe_from_dict).ok


def test_grow_engine_that_never_starts_stops_the_run_with_the_cause(without_ray: Loader) -> None:
    with pytest.raises(RunStopped, match="fail_start"):
        grow(
            without_ray("engine.simulated.fail_start=true", "engine.workers=2"),
            ignore,
            open_cluster,
        )
