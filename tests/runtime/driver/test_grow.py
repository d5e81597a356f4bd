"""The main job through real Ray and without it, simulated engine: P2-P4, planted truth, going on."""

import json
from pathlib import Path

import pytest

from seedcorn.core.recipe import Recipe
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.core.simulation.simulation import Kind, truth
from seedcorn.runtime.driver.grow import grow
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.corpora.digests import corpus_digest
from tests.runtime.conftest import WITHOUT_RAY, Loader, account, ignore, uncut

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    "overrides",
    [
        ("engine.workers=4", "engine.simulated.concurrency=16"),
        ("dedup.actors=3",),
        (WITHOUT_RAY, "engine.workers=2"),
        (WITHOUT_RAY, "units.unit=16", "units.batch=8"),
        (WITHOUT_RAY, "dedup.actors=2"),
    ],
)
def test_grow_other_workers_batches_or_partitions_gives_the_same_corpus_and_ledger(
    overrides: tuple[str, ...],
    simulated: Loader,
    undisturbed: tuple[str, str, Recipe],
    tmp_path: Path,
) -> None:
    assert grow(simulated(*overrides), ignore, open_cluster).complete
    store = LocalStore(tmp_path / "corpus")
    assert corpus_digest(store) == undisturbed[0]
    assert account(store) == undisturbed[1]


def test_grow_other_batches_change_forecasts_and_nothing_else(
    simulated: Loader, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    assert grow(
        simulated(WITHOUT_RAY, "units.unit=50", "units.batch=8"), ignore, open_cluster
    ).complete
    store = LocalStore(tmp_path / "corpus")
    assert corpus_digest(store) == undisturbed[0]
    assert uncut(account(store)) == uncut(undisturbed[1])


def test_grow_again_does_nothing_then_more_generations_go_on(
    simulated: Loader, undisturbed: tuple[str, str, Recipe], tmp_path: Path
) -> None:
    assert grow(simulated(WITHOUT_RAY, "generations=1"), ignore, open_cluster).generations == 1
    again = grow(simulated(WITHOUT_RAY, "generations=1"), ignore, open_cluster)
    assert again.complete
    assert not again.worked
    assert grow(simulated(WITHOUT_RAY, "generations=2"), ignore, open_cluster).generations == 2
    assert corpus_digest(LocalStore(tmp_path / "corpus")) == undisturbed[0]


def test_grow_planted_rates_come_back_in_the_ledger(
    undisturbed: tuple[str, str, Recipe],
) -> None:
    recipe, rows = undisturbed[2], json.loads(undisturbed[1])["generations"]
    for number, row in enumerate(rows, start=1):
        planted = truth(recipe.fingerprint, number, recipe.samples, recipe.engine.simulated)
        counts, duplicates = row["counts"], row["duplicates"]
        assert counts["failed"] == planted[Kind.FAILED]
        assert counts["rejected"] == planted[Kind.REJECTED]
        # Repeats of earlier generations are told apart from planted copies of parents by no name.
        exact, earlier = duplicates["exact:same"], duplicates.get("exact:earlier", 0)
        assert exact <= planted[Kind.DUPLICATE] <= exact + earlier
        assert number > 1 or exact == planted[Kind.DUPLICATE]
        # Two edited words in eighty leave Jaccard near .8: recall of bands and signature is .9.
        near = sum(count for name, count in duplicates.items() if name.startswith("near"))
        assert 0.5 * planted[Kind.NEAR_DUPLICATE] <= near <= planted[Kind.NEAR_DUPLICATE]


def test_grow_seed_with_unusable_rows_rejects_their_samples(
    simulated: Loader, tmp_path: Path
) -> None:
    seed = tmp_path / "seed.jsonl"
    lines = [json.dumps({"text": f"document number {n} about something"}) for n in range(9)]
    seed.write_text("\n".join([*lines, '{"text": null}', "not json"]) + "\n", encoding="utf-8")
    loaded = simulated(
        f"seed.0.path={seed}",
        "seed.0.id=''",
        "generations=1",
        "prompts.1.weight=0.0001",
        WITHOUT_RAY,
    )
    row = grow(loaded, ignore, open_cluster).rows[0]
    assert row.reasons["rejected:seed_row"] > 0
    assert verify(LocalStore(tmp_path / "corpus"), recipe_from_dict).ok
