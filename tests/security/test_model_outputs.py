"""Garbage from a model, through the whole line: one outcome each, nothing lost, a corpus that verifies."""

import json
from collections import defaultdict

import pyarrow.parquet as pq
import pytest
import yaml

from seedcorn.config import load_recipe
from seedcorn.core.log.state import CorpusState
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.recipe.tree import recipe_from_dict
from seedcorn.storage.log.log import LogReader
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.verify.verification import verify
from tests.corpora.growing import grow_in_process
from tests.engines.rude_server import answer
from tests.security.garbage import GarbageServer, serving, words

LONG = words("long", 20) + " " + "y" * 10_000_000
CASES = {
    "good": (words("good"), None),
    "empty": ("", "rejected:empty"),
    "blank": (" \n\t\u2003\u00a0", "rejected:empty"),
    "null": (answer(message={"content": None}), "rejected:empty"),
    "same": (words("same"), None),
    "surrogates": ("\ud800 \udfff broken " + words("lone") + " \udc80", None),
    "nul": ("\0" + words("nul") + "\0\0", None),
    "controls": ("\x1b[2J\x07\u202e" + words("control") + "\x85\u2028", None),
    "endless": (answer(words("w"), finish_reason="length"), "rejected:finish_reason"),
    "words": ("loop " * 20_000, "rejected:repetition"),
    "megabytes": (LONG, "rejected:length"),
    "beyond": ("x" * (33 << 20), "failed:request_refused"),
    "closing": ("</think>" * 100_000, "rejected:repetition"),
    "thinking": ("<think>" + "for ever " * 1000, "rejected:empty"),
    "one-word": ("x" * 900_000, "rejected:length"),
    "usage": (answer(words("usage")) | {"usage": {"prompt_tokens": "no"}}, None),
    "counts": (answer(words("count")) | {"usage": {"completion_tokens": 10**40}}, None),
    "filter": (answer("", finish_reason="content_filter"), "failed:request_refused"),
    "reason": (answer(words("w"), finish_reason={"a": []}), "failed:engine_error"),
    "refused": (400, "failed:request_refused"),
    "toolong": (413, "failed:request_refused"),
}
"""What is answered, and what becomes of it; None: accepted once, its repetitions duplicates."""
TEMPLATES = {
    "divides": "{{ axes.case }} {{ 1 / (parent|length - parent|length) }}",
    "indexes": "{{ axes.case }} {{ parents[9] }}",
    "recurses": "{% macro m() %}{{ m() }}{% endmacro %}{{ axes.case }} {{ m() }}",
    "converts": "{{ axes.case }} {{ parent + 1 }}",
    "bursts": "{{ axes.case }} {% for a in range((parent|length) * 3000) %}{{ parent }}{% endfor %}",
    "misses": "{{ axes.case }} {{ axes[parent] }}",
}
"""Templates that raise on documents, each in its own way."""


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """(store, {case or template: {outcome:reason: samples}}) of one grown corpus."""
    folder = tmp_path_factory.mktemp("garbage")
    (folder / "seed.txt").write_text("\n".join(f"Document {n} about lakes." for n in range(20)))
    fine = {"axes": {"case": sorted(CASES)}, "template": "{{ axes.case }} {{ parent }}"}
    raising = [
        {"name": name, "axes": {"case": ["good"]}, "template": template, "weight": 0.08}
        for name, template in TEMPLATES.items()
    ]
    recipe = {
        "name": "garbage",
        "corpus": str(folder / "corpus"),
        "samples": 160,
        "seed": [{"name": "lakes", "path": "seed.txt", "split": "line"}],
        "prompts": [fine | {"name": "ask"}, *raising],
        "units": {"unit": 16, "batch": 4},
        "checks": [
            {"finish_reason": {}},
            {"length": {"min_words": 5, "max_chars": 1_000_000}},
            {"repetition": {}},
            {"copy_of_parent": {}},
        ],
    }
    with serving(GarbageServer({case: step for case, (step, _) in CASES.items()})) as url:
        engine = {
            **{"kind": "openai", "model": "m", "openai": {"base_url": url, "max_concurrency": 32}},
            "reasoning": {"markers": "think"},
        }
        path = folder / "garbage.yaml"
        path.write_text(yaml.safe_dump(recipe | {"engine": engine}))
        loaded = load_recipe(str(path))
        grow_in_process(loaded.recipe, loaded.recipe.corpus, loaded.base)
    store = open_store(loaded.recipe.corpus, StoreSpec())
    return store, outcomes(store)


def outcomes(store):
    """Samples by case or raising template, then by outcome and reason."""
    state = CorpusState()
    for entry in LogReader(store):
        state.apply(entry)
    found = defaultdict(lambda: defaultdict(int))
    for generation in state.generations.values():
        for shard in [*generation.shards, *generation.dropped]:
            with store.open(shard.key) as handle:
                table = pq.read_table(handle)
            for row in table.to_pylist():
                case = json.loads(row["axes"])["case"]
                name = case if row["stratum"] == "ask" else row["stratum"]
                outcome = row.get("outcome") or "accepted"
                found[name][":".join(filter(None, [outcome, row.get("reason")]))] += 1
    return found


def test_every_kind_of_garbage_ends_in_the_outcome_it_deserves(grown):
    _, found = grown
    assert set(CASES) <= set(found)
    for case, (_, expected) in CASES.items():
        told = dict(found[case])
        if expected is None:
            assert told.pop("accepted") == 1, (case, told)
            assert all(how.startswith("duplicate") for how in told), (case, told)
        else:
            assert set(told) == {expected}, (case, told)


def test_every_template_that_raises_fails_its_samples_alone(grown):
    _, found = grown
    assert {name: set(found[name]) for name in TEMPLATES} == {
        name: {"failed:template"} for name in TEMPLATES
    }


def test_nothing_is_lost_and_the_corpus_verifies(grown):
    store, found = grown
    assert sum(sum(told.values()) for told in found.values()) == 160
    report = verify(store, recipe_from_dict)
    assert report.ok, report
