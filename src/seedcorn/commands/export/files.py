"""The small objects of an export, and what must hold before any of them is written."""

import argparse
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from seedcorn.commands.export.card import HUB, MARKER, card
from seedcorn.core.errors import ObjectMissing
from seedcorn.core.export.croissant import About, metadata
from seedcorn.core.export.exports import ExportError, Options
from seedcorn.core.export.manifest import CARD, CROISSANT, DATA, LEDGER, Manifest
from seedcorn.core.figures import counted
from seedcorn.core.identity import sha256_hex
from seedcorn.core.ledger.document import LedgerDocument
from seedcorn.storage.export.source import Corpus
from seedcorn.storage.stores.store import Store

OTHER = "other"
NOBODY = "not stated"
_NAMED = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_OWN = re.compile(rf"{re.escape(DATA)}part-\d{{4,}}-\d{{5,}}-[0-9a-f]{{16}}\.parquet")


def require_apart(corpus: str, target: str) -> None:
    """Raise ExportError where corpus and target lie inside one another."""
    one, other = (_place(uri) for uri in (corpus, target))
    if one == other or other.startswith(f"{one}/") or one.startswith(f"{other}/"):
        raise ExportError(
            f"one of {target} and {corpus} lies inside the other; export to another place"
        )


def require_own_card(target: Store, replace_card: bool) -> None:
    """Raise ExportError where a README.md stands that another hand wrote."""
    try:
        text = target.get(CARD).decode("utf-8", "replace")
    except ObjectMissing:
        return
    if MARKER not in text and not replace_card:
        raise ExportError(
            f"{target.uri}/{CARD} was not written by seedcorn; move it, or give --replace-card"
        )


def require_known(options: Options, ledger: LedgerDocument) -> None:
    """Raise ExportError where a filter or weight names what the corpus does not have."""
    generations = {row["generation"] for row in ledger["generations"]}
    strata = {row["stratum"] for row in ledger["strata"]}
    asked: list[tuple[str, set[Any], set[Any]]] = [
        ("generation", {*options.generations, *options.weights.generations}, generations),
        ("stratum", {*options.strata, *options.weights.strata}, strata),
    ]
    for kind, wanted, known in asked:
        if wanted - known:
            missing = ", ".join(sorted(str(name) for name in wanted - known))
            available = ", ".join(sorted(str(name) for name in known)) or "none yet"
            raise ExportError(f"the corpus has no {kind} {missing}; it has {available}")


def described(arguments: argparse.Namespace, manifest: Manifest) -> Manifest:
    """The manifest with what this command line says of the data set; the rest stands as it was."""
    about = dict(manifest.about)
    for key in ("license", "name", "creator", "url"):
        if getattr(arguments, key):
            about[key] = getattr(arguments, key)
    about["models"] = {**about.get("models", {}), **dict(arguments.model_license)}
    return replace(manifest, about=about)


def objects(corpus: Corpus, manifest: Manifest, target: str) -> tuple[Manifest, dict[str, bytes]]:
    """Ledger, metadata and card by key, and the manifest that names their hashes."""
    recipes = [(number, state.recipe) for number, state in corpus.state.standing.items()]
    about = about_of(corpus, manifest, target)
    page = card(manifest, about, corpus.ledger, recipes, target)
    found = {
        LEDGER: _json(corpus.ledger),
        CROISSANT: _json(metadata(manifest, about)),
        CARD: page.encode("utf-8", "replace"),
    }
    hashes = {key: sha256_hex(data) for key, data in found.items()}
    return replace(manifest, objects=hashes), found


def about_of(corpus: Corpus, manifest: Manifest, target: str) -> About:
    """What the card and the metadata say of the data set. A folder's path is not published."""
    stated = manifest.about
    recipes = dict.fromkeys(row["recipe"] for row in corpus.ledger["generations"])
    hub = f"https://huggingface.co/{target.removeprefix('hf://')}" if target.startswith(HUB) else ""
    return About(
        name=stated.get("name") or ", ".join(name for name in recipes if name) or "corpus",
        description=(
            f"Synthetic text in {manifest.rows:,} rows, grown in "
            f"{counted(len(corpus.state.standing), 'generation')} from real documents, verified "
            "and deduplicated; README.md has the recipe and how much of it is new."
        ),
        licence=stated.get("license", OTHER),
        creator=stated.get("creator", NOBODY),
        url=stated.get("url") or hub or (target if _is_published(target) else "./"),
        created=corpus.created,
        published=corpus.modified,
    )


def leftovers(target: Store, manifest: Manifest) -> list[str]:
    """Shards of ours that the manifest does not name; other files are nobody's business."""
    named = {shard.key for shard in manifest.shards}
    listed = (item.key for item in target.list(DATA))
    return sorted(key for key in listed if key not in named and _OWN.fullmatch(key))


def _is_published(target: str) -> bool:
    return bool(_NAMED.match(target)) and not target.startswith(("file:", "local:"))


def _place(uri: str) -> str:
    if uri.startswith("file://"):
        uri = uri.removeprefix("file://")
    if _NAMED.match(uri) or uri.startswith("memory:"):
        return uri.rstrip("/")
    return str(Path(uri).expanduser().resolve())


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
