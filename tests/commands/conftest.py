"""A small corpus, grown once in this process, for every command that reads one."""

import shutil

import pytest
import yaml

from seedcorn.config import load_recipe
from tests.corpora.growing import grow_in_process
from tests.servers.chromium import chromium, why_not

SEED = [
    f"Lake {name} lies {depth} metres deep in its valley, and the boats that cross it in {month} "
    f"carry hay, cheese and letters to the farms on the far shore, {depth} families in all."
    for depth, name, month in zip(
        range(11, 31),
        [
            *["Anna", "Bela", "Cora", "Dora", "Edda", "Fara", "Gila", "Hana", "Iris", "Jana"],
            *["Kira", "Lena", "Mira", "Nora", "Olga", "Pola", "Rita", "Sara", "Tilda", "Ulla"],
        ],
        ["March", "April", "May", "June"] * 5,
        strict=True,
    )
]
RECIPE = {
    "name": "small",
    "generations": 2,
    "samples": 48,
    "seed": [{"name": "lakes", "path": "lakes.txt", "split": "line"}],
    "prompts": [
        {
            "name": "retell",
            "weight": 3,
            "axes": {"tone": ["plain", "formal"]},
            "template": "Retell in a {{ axes.tone }} tone: {{ parent }}",
        },
        {"name": "invent", "parents": 0, "template": "Write about a lake."},
    ],
    "engine": {
        "kind": "simulated",
        "sampling": {"max_tokens": 120},
        "simulated": {
            "words": 40,
            "concurrency": 8,
            "duplicate_rate": 0.15,
            "near_duplicate_rate": 0.1,
            "seed_copy_rate": 0.1,
            "rejection_rate": 0.15,
            "failure_rate": 0.1,
        },
    },
    "checks": [{"length": {"min_words": 5}}, {"refusal": {}}],
    "units": {"unit": 8, "batch": 3},
    "keep_prompt": True,
}


def write_recipe(folder, **changes):
    """A recipe file with its seed beside it; returns the file's path."""
    (folder / "lakes.txt").write_text("\n".join(SEED), encoding="utf-8")
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(RECIPE | {"corpus": str(folder / "corpus")} | changes))
    return str(path)


@pytest.fixture(scope="session")
def grown(tmp_path_factory):
    """(recipe path, corpus path) of a complete corpus that nobody may change."""
    folder = tmp_path_factory.mktemp("grown")
    path = write_recipe(folder)
    loaded = load_recipe(path)
    grow_in_process(loaded.recipe, loaded.recipe.corpus, loaded.base)
    return path, loaded.recipe.corpus


@pytest.fixture
def corpus(grown, tmp_path):
    """A copy of the corpus, to be changed at will."""
    shutil.copytree(grown[1], tmp_path / "corpus")
    return tmp_path / "corpus"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Headless Chromium, where it can be had."""
    missing = why_not()
    if missing:
        pytest.skip(missing)
    with chromium(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened
