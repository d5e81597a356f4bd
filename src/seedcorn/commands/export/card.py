"""The card of an export: README.md with the front matter that the Hugging Face hub reads.

Invariant: every figure is the manifest's or the ledger document's, printed in full, so that a test
(or a reader) can compare them digit by digit. Texts from data stay data: no cell ends its table.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from yaml import SafeDumper, dump

from seedcorn.commands.export.words import (
    ledger_note,
    left_out,
    limits,
    mixture,
    model_licences,
    order,
    published_recipes,
)
from seedcorn.core.export.croissant import MEANINGS, About
from seedcorn.core.export.exports import size_category
from seedcorn.core.export.manifest import Manifest
from seedcorn.core.figures import counted, size
from seedcorn.core.ledger.document import Generation, LedgerDocument
from seedcorn.core.ledger.measures import added_by, in_tokens
from seedcorn.core.sample import OUTCOMES

MARKER = "<!-- written by seedcorn export; the next export replaces this file -->"
HUB = "hf://datasets/"


class _Dumper(SafeDumper):
    """YAML in which a text of several lines looks like one."""


def _text(dumper: SafeDumper, value: str) -> Any:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(value: Any) -> str:
    """Plain values as YAML, keys in their order."""
    return dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96)


def card(
    manifest: Manifest,
    about: About,
    ledger: LedgerDocument,
    recipes: Sequence[tuple[int, dict[str, Any]]],
    target: str,
) -> str:
    """The page. `ledger` is the ledger document, `recipes` are as the log holds them."""
    hub = target.removeprefix(HUB).rstrip("/") if target.startswith(HUB) else ""
    return _template().render(
        front=as_yaml(front_matter(manifest, about)),
        marker=MARKER,
        title=cell(about.name),
        rows=counted(manifest.rows, "row"),
        samples=counted(manifest.samples, "sample"),
        shards=counted(len(manifest.shards), "Parquet file"),
        size=size(manifest.bytes),
        place=hub or "path/to/this/folder",
        columns=[(name, MEANINGS[name]) for name in manifest.columns],
        counts=[
            (generation, cell(stratum), rows)
            for generation, strata in manifest.counts.items()
            for stratum, rows in strata.items()
        ],
        order=order(manifest),
        mixture=mixture(manifest),
        accepted=sum(row["counts"]["accepted"] for row in ledger["generations"]),
        left_out=left_out(manifest, ledger),
        recipes=[(_named(ns), fenced(as_yaml(r))) for ns, r in published_recipes(recipes)],
        models=[(cell(name), cell(licence)) for name, licence in model_licences(manifest)],
        licence=about.licence,
        ledger_note=ledger_note(all(map(in_tokens, ledger["generations"]))),
        ledger=[[cell(str(value)) for value in ledger_row(row)] for row in ledger["generations"]],
        limits=limits(manifest),
    )


def front_matter(manifest: Manifest, about: About) -> dict[str, Any]:
    """What the hub reads: the viewer and `load_dataset` take exactly the named files."""
    paths = [shard.key for shard in manifest.shards]
    found: dict[str, Any] = {
        "pretty_name": about.name,
        "license": about.licence,
        "size_categories": [size_category(manifest.rows)],
        "task_categories": ["text-generation"],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "tags": ["synthetic", "seedcorn"],
    }
    if paths:
        files_of = [{"split": "train", "path": paths}]
        found["configs"] = [{"config_name": "default", "data_files": files_of}]
    return found


def ledger_row(row: Generation) -> list[object]:
    """One generation of the ledger document, figures in full; a dash where it knows none."""
    unique = added_by(row)
    ends = [unique["estimate"], unique["low"], unique["high"]] if unique else ["-"] * 3
    return [
        row["generation"],
        row["recipe"],
        row["planned"],
        *(row["counts"][outcome] for outcome in OUTCOMES),
        row["tokens"]["accepted"],
        *(round(end) if isinstance(end, float) else end for end in ends),
        row["unit"],
        row["withdrawn"]["samples"],
    ]


def cell(text: str) -> str:
    """Text that stays in its table cell and is no markup."""
    shown = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return shown.replace("|", "\\|")


def fenced(text: str) -> str:
    """A code block that its content cannot end."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}yaml\n{text}{fence}"


def _named(generations: Sequence[int]) -> str:
    numbers = ", ".join(str(number) for number in generations)
    return f"generation {numbers}" if len(generations) == 1 else f"generations {numbers}"


@cache
def _template() -> Any:
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    text = files("seedcorn.data").joinpath("export_card.md").read_text(encoding="utf-8")
    return environment.from_string(text)
