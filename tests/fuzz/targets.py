"""What is fuzzed: each target takes a random generator and a folder, and may raise typed errors only."""

import gzip
import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seedcorn.config import load_recipe
from seedcorn.core.errors import SeedcornError
from seedcorn.core.generate.prompts import compile_prompt
from seedcorn.core.recipe import PromptSpec, SourceSpec, StoreSpec
from seedcorn.core.sample import Draw
from seedcorn.storage.seeds.seeds import SeedReader, open_catalogue
from seedcorn.storage.stores.memory import MemoryStore
from tests.fuzz.mutation import mutated

PIPELINES = Path(__file__).parents[2] / "pipelines"
RECIPES = [path.read_bytes() for path in sorted(PIPELINES.glob("*.yaml"))]
KEYS = ["samples", "name", "seed.0.path", "prompts.0.axes", "prompts.0.template", "units.unit"]
KEYS += ["engine.sampling.temperature", "checks", "parents", "engine.vllm.extra", "stop.target"]
KEYS += ["nightly.deadline", "engine.workers", "dedup.threshold", "store", "engine.node_labels"]
VALUES = [b"5", b"[1, 2]", b"{a: 1}", b"x", b"null", b"${name}", b"'{{ parent }}'", b"1e9", b"true"]
TEMPLATES = [
    b"{% for p in parents if p %}{{ loop.index }}: {{ p|upper|replace('a', 'b') }}{% endfor %}",
    b"{% macro m(x, y=1) %}{{ x ~ y }}{% endmacro %}{{ m(parent[:9]) }}{{ axes.style|tojson }}",
    b"{% set x = parent.split(' ')|map('lower')|list %}{{ x|join('-')|wordwrap(9) }}",
    b"{{ '%s-%03d'|format(parent, index) if index > 3 and 'a' in parent else generation * 2 }}",
]
JSONL = b'{"text": "seed corn", "id": "a1"}\n{"text": "x\\u00e9\\n", "id": 7}\n{"text": null}\n' * 4
TEXT = b"First paragraph.\nStill.\n\nSecond \xe2\x82\xac one.\r\n\r\n\xef\xbb\xbfThird.\n"
DRAW = Draw(7, "id", "p", {"style": "plain"}, ((0, 0),), 1)


def recipe(rng: random.Random, folder: Path) -> None:
    """A shipped recipe, mutated as bytes."""
    path = folder / "recipe.yaml"
    path.write_bytes(mutated(rng.choice(RECIPES), rng))
    load_recipe(str(path))


def override(rng: random.Random, folder: Path) -> None:
    """A shipped recipe with a mutated `key=value`."""
    path = folder / "sound.yaml"
    path.write_bytes(rng.choice(RECIPES))
    words = [f"{rng.choice(KEYS)}=".encode() + rng.choice(VALUES) for _ in range(rng.randint(1, 2))]
    words = [b"samples=5", *words] if rng.random() < 0.5 else [b"samples=5"]
    at = rng.randrange(len(words) + 1)
    words[at:] = [mutated(word, rng) for word in words[at:]]
    load_recipe(str(path), [word.decode("utf-8", "surrogateescape") for word in words])


def template(rng: random.Random, folder: Path) -> None:
    """A template, mutated, compiled and rendered."""
    source = mutated(rng.choice(TEMPLATES), rng).decode("utf-8", "surrogateescape")
    spec = PromptSpec("p", source, axes={"style": ["plain"]})
    compile_prompt(spec).render(DRAW, 1, ["A document.\n" * 9])


def jsonl(rng: random.Random, folder: Path) -> str:
    """JSON lines, mutated."""
    return _read(folder / "seed.jsonl", mutated(JSONL, rng), rng)


def text(rng: random.Random, folder: Path) -> str:
    """Plain text, mutated, split in every way."""
    return _read(folder / "seed.txt", mutated(TEXT, rng), rng)


def packed(rng: random.Random, folder: Path) -> str:
    """Compressed lines, mutated before or after they were compressed."""
    data = mutated(JSONL, rng) if rng.random() < 0.3 else JSONL
    zstd = rng.random() < 0.5
    small = pa.compress(data, "zstd", asbytes=True) if zstd else gzip.compress(data, mtime=0)
    name = "seed.jsonl.zst" if zstd else "seed.jsonl.gz"
    return _read(folder / name, mutated(small, rng), rng)


def parquet(rng: random.Random, folder: Path) -> str:
    """A Parquet file, mutated in pages or footer."""
    return _read(folder / "seed.parquet", mutated(rng.choice(_PARQUET), rng), rng)


SLOW = {"recipe": 0.02, "override": 0.02}
"""Share of a long run for targets that take a hundred times as long as the others."""
TARGETS: dict[str, Callable[[random.Random, Path], str | None]] = {
    "recipe": recipe,
    "override": override,
    "template": template,
    "jsonl": jsonl,
    "text": text,
    "packed": packed,
    "parquet": parquet,
}


def try_one(name: str, seed: str, folder: Path) -> str:
    """Run one input; returns `fine`, the problems of its rows, or the typed error's name, and
    raises what is not typed."""
    try:
        return TARGETS[name](random.Random(seed), folder) or "fine"
    except SeedcornError as error:
        return type(error).__name__


def _read(path: Path, data: bytes, rng: random.Random) -> str:
    """Catalogue and reader over one file: every row by scan, a few at random."""
    path.write_bytes(data)
    split = rng.choice(["file", "paragraph", "line"])
    spec = SourceSpec(str(path), id="id" if path.suffix != ".txt" else "", split=split)
    store = MemoryStore(str(path.parent))
    for held in list(store.list("")):  # Each input is converted anew.
        store.delete(held.key)
    catalogue = open_catalogue(spec, "", store, StoreSpec())
    reader = SeedReader(catalogue, store, StoreSpec())
    rows, problems = 0, set[str]()
    for batch in reader.scan(batch_rows=5):
        rows += len(batch.usable)
        problems.update(batch.problems)
    if rows:
        reader.read([rng.randrange(rows) for _ in range(3)])
    return ", ".join(sorted(problems))


def _tables() -> Iterator[bytes]:
    texts = ["seed corn", "", None, "x" * 300, "ünï"] * 6
    table = pa.table({"text": texts, "id": [str(n) for n in range(30)]})
    for how in (
        {"compression": "snappy"},
        {"compression": "zstd", "use_dictionary": False, "row_group_size": 7},
        {"compression": "none", "column_encoding": {"text": "DELTA_BYTE_ARRAY"}},
    ):
        if "column_encoding" in how:
            how["use_dictionary"] = False
        sink = io.BytesIO()
        pq.write_table(table, sink, **how)
        yield sink.getvalue()


_PARQUET = list(_tables())
