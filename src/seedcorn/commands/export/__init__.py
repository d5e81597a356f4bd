"""`seedcorn export CORPUS TARGET`: accepted samples as a data set to train on.

Shuffled, compacted Parquet with a card and Croissant metadata, in a folder, on an object store or
in a Hugging Face data set repository. Exporting a grown corpus again adds what is new.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from seedcorn.commands.arguments import count, positive

if TYPE_CHECKING:
    from seedcorn.core.export.exports import Options
    from seedcorn.core.recipe import StoreSpec
    from seedcorn.storage.stores.store import Store

TARGET_PREFIX = "target."
T = TypeVar("T")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    parser.add_argument("corpus", metavar="CORPUS", help="a folder or a URI")
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="a folder, s3://bucket/prefix, hf://datasets/USER/NAME or another fsspec URL",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="store.key=value",
        help="how to reach both stores, such as store.endpoint=URL; target.key=value applies to "
        "the target only",
    )
    _choosing(parser)
    _describing(parser)


def _choosing(parser: argparse.ArgumentParser) -> None:
    """What goes out, and in which order."""
    parser.add_argument(
        "--generation",
        type=count,
        action="append",
        default=[],
        metavar="N",
        help="only this generation",
    )
    parser.add_argument(
        "--stratum", action="append", default=[], metavar="S", help="only this prompt branch"
    )
    parser.add_argument(
        "--weight",
        type=weight,
        action="append",
        default=[],
        metavar="KEY=W",
        help="stratum:NAME=W or generation:N=W: how often its samples occur: .5 is every other "
        "one, 2 is twice (the column `copy` then counts them)",
    )
    parser.add_argument(
        "--columns",
        type=columns,
        metavar="A,B",
        help="columns (default id,text,generation,stratum,parents,model; the id, the generation "
        "and the stratum are always included)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the shuffle and the mixture"
    )
    parser.add_argument(
        "--no-shuffle",
        action="store_true",
        help="keep the plan's order, which is unsuitable for training",
    )
    parser.add_argument(
        "--shard-mb", type=positive, metavar="MB", help="size of a Parquet file (default 256)"
    )


def _describing(parser: argparse.ArgumentParser) -> None:
    """What the card says; later exports remember it."""
    parser.add_argument(
        "--license",
        metavar="NAME",
        help="of the data set, as the hub names it, such as apache-2.0 (default other)",
    )
    parser.add_argument(
        "--model-license",
        type=pair,
        action="append",
        default=[],
        metavar="MODEL=NAME",
        help="the licence of a model that wrote some of it",
    )
    parser.add_argument("--name", help="title of the data set (default: its recipes' names)")
    parser.add_argument("--creator", help="who publishes it")
    parser.add_argument("--url", help="where it is published")
    parser.add_argument(
        "--replace-card",
        action="store_true",
        help="replace a README.md that seedcorn did not write",
    )
    parser.add_argument(
        "--clean", action="store_true", help="delete shards left behind by runs that died"
    )


def weight(text: str) -> tuple[str, str, float]:
    """One --weight."""
    from seedcorn.core.export.mixture import parse_weight

    return _explained(parse_weight, text)


def columns(text: str) -> tuple[str, ...]:
    """The --columns."""
    from seedcorn.core.export.exports import chosen_columns

    return _explained(chosen_columns, text)


def pair(text: str) -> tuple[str, str]:
    """One --model-license."""
    name, equals, value = text.rpartition("=")
    if not equals or not name or not value.strip():
        raise argparse.ArgumentTypeError(f"{text!r} must read MODEL=LICENCE")
    return name, value.strip()


def run(arguments: argparse.Namespace) -> int:
    """Read the log, write what is new, then card, metadata and manifest."""
    from seedcorn.commands.export.files import (
        described,
        leftovers,
        objects,
        require_known,
        require_own_card,
    )
    from seedcorn.commands.export.words import leftover_lines, summary_lines
    from seedcorn.commands.views.output import say
    from seedcorn.commands.views.progress import counting
    from seedcorn.core.export.exports import TARGET_BYTES
    from seedcorn.storage.export.exports import export, publish, read_target, remove
    from seedcorn.storage.export.source import read_corpus

    corpus_store, target = _stores(arguments)
    options = options_of(arguments)
    export_target = read_target(target, options)
    require_own_card(target, arguments.replace_card)
    corpus = read_corpus(corpus_store, export_target.manifest, target.uri)
    require_known(options, corpus.ledger)
    size = int(arguments.shard_mb * 1e6) if arguments.shard_mb else TARGET_BYTES
    written = export(corpus, export_target, options, counting, size)
    manifest = described(arguments, written.manifest)
    manifest, small = objects(corpus, manifest, target.uri)
    changed = publish(export_target, manifest, small)
    remove(target, written.replaced)
    unnamed = leftovers(target, manifest)
    if arguments.clean:
        remove(target, unnamed)
    if not changed:
        say(f"nothing new: {target.uri} holds {manifest.rows:,} rows")
    else:
        for line in summary_lines(written, manifest, corpus.ledger, target.uri):
            say(line)
    for line in leftover_lines(unnamed, arguments.clean):
        say(line)
    return 0


def options_of(arguments: argparse.Namespace) -> "Options":
    """The options that decide rows and order; raises ExportError for two weights of one key."""
    from seedcorn.core.export.exports import DEFAULT, ExportError, Options
    from seedcorn.core.export.mixture import weights

    try:
        mixed = weights(arguments.weight)
    except ValueError as error:
        raise ExportError(f"--weight: {error}") from error
    return Options(
        generations=tuple(sorted(set(arguments.generation))),
        strata=tuple(sorted(set(arguments.stratum))),
        columns=arguments.columns or DEFAULT,
        weights=mixed,
        shuffle=not arguments.no_shuffle,
        seed=arguments.seed,
    )


def _explained(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _stores(arguments: argparse.Namespace) -> "tuple[Store, Store]":
    """Corpus and target; raises ExportError where one lies inside the other."""
    from seedcorn.commands.export.files import require_apart
    from seedcorn.storage.stores.opening import open_store

    own = [text for text in arguments.overrides if not text.startswith(TARGET_PREFIX)]
    other = [text for text in arguments.overrides if text.startswith(TARGET_PREFIX)]
    require_apart(arguments.corpus, arguments.target)
    corpus = open_store(arguments.corpus, _spec(own))
    target = open_store(arguments.target, _spec([*own, *(_as_store(text) for text in other)]))
    return corpus, target


def _as_store(text: str) -> str:
    return f"store.{text.removeprefix(TARGET_PREFIX)}"


def _spec(overrides: list[str]) -> "StoreSpec":
    from seedcorn.commands.corpus import store_spec

    return store_spec(overrides)
