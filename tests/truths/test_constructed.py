"""A constructed task through the whole line: verified tokens, and instances counted once."""

import json

import pytest

from seedcorn.core.ledger.ledger import to_json
from seedcorn.core.ledger.line import line
from seedcorn.core.recipe import (
    DedupSpec,
    EngineSpec,
    PromptSpec,
    Recipe,
    SimulatedSpec,
    SourceSpec,
    UnitsSpec,
)
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.storage.log.reading import read_ledger
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.verify.verification import verify
from tests.corpora.growing import grow_in_process

TELLINGS = (
    "Anna picks {a} apples and then {b} more, so she has {a} + {b} = {c} apples in her basket now.",
    "There were {b} birds on the roof; {a} came to sit with them: {b} + {a} = {c} in all, he said.",
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Samples that repeat the seed: 20 calculations told twice each, five of them wrong."""
    folder = tmp_path_factory.mktemp("constructed")
    rows = []
    for n in range(20):
        a, b = 10 + n, 30 + 2 * n
        rows += [telling.format(a=a, b=b, c=a + b + (n < 5)) for telling in TELLINGS]
    lines = (json.dumps({"text": text}) for text in rows)
    (folder / "seed.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    recipe = Recipe(
        name="sums",
        samples=40,
        generations=2,
        seed=[SourceSpec("seed.jsonl", "sums")],
        prompts=[PromptSpec("tell", "{{ parent }}")],
        engine=EngineSpec(
            kind="simulated", simulated=SimulatedSpec(seed_copy_rate=1.0, concurrency=8)
        ),
        checks=[{"arithmetic": {}}],
        dedup=DedupSpec(seed=False),
        units=UnitsSpec(unit=8, batch=2),
    )
    store = open_store(str(folder / "corpus"), recipe.store)
    grow_in_process(recipe, str(folder / "corpus"), str(folder))
    return store


def test_verified_samples_are_counted_as_verified_tokens_and_their_instances_once(corpus):
    ledger = read_ledger(corpus)
    first, second = ledger.rows()

    assert first.unit == "uvt"
    assert first.counts["accepted"] == 30
    assert first.counts["rejected"] == 10
    assert first.reasons["rejected:arithmetic"] == 10
    assert first.instances.estimate == 15
    assert second.instances.estimate == 0
    assert "15 instances" in line(first)
    assert to_json(ledger)["generations"][0]["instances"]["estimate"] == 15


def test_verify_recomputes_instances_from_the_texts(corpus):
    report = verify(corpus, recipe_from_dict)

    assert report.ok, report.broken
    assert any(finding.promise == "sketches" for finding in report.proved)
