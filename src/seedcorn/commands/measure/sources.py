"""What `seedcorn measure` was asked to read, checked and counted before anything is measured."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace

from seedcorn.commands.corpus import store_spec
from seedcorn.core.errors import SeedError
from seedcorn.core.measure.foreign import DocumentSet, batch_rows
from seedcorn.core.recipe import SourceSpec
from seedcorn.core.text.words import NEWEST, read_words
from seedcorn.storage.measure.foreign import Documents, open_documents, source_name
from seedcorn.storage.samples.batches import texts_view

SEED, ANCHOR, YARDSTICK = "seed", "anchor", "yardstick"


@dataclass(frozen=True, slots=True)
class Opened:
    """One source: what the ledger calls it, and its documents. Held-out text has number -1."""

    source: DocumentSet
    path: str
    documents: Documents


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything to read, in the order of the ledger."""

    sources: Sequence[Opened]
    anchors: Sequence[Opened]
    yardsticks: Sequence[Opened]

    @property
    def rows(self) -> int:
        """Rows of seeds and generations."""
        return sum(opened.source.rows for opened in self.sources)


def open_sources(arguments: argparse.Namespace) -> Asked:
    """Open all paths; raises SeedError naming the option that is wrong."""
    generations = _numbered(arguments.generation)
    texts = _texts(
        arguments.text, {SEED, ANCHOR, YARDSTICK, *map(str, range(1, len(generations) + 1))}
    )
    named = [(0, SEED, path) for path in arguments.seed]
    named += [(number, str(number), path) for number, path in enumerate(generations, 1)]
    opened = [_open(arguments, texts, *one) for one in named]
    anchors = [_open(arguments, texts, -1, ANCHOR, path) for path in arguments.anchor]
    yardsticks = [_open(arguments, texts, -1, YARDSTICK, path) for path in arguments.yardstick]
    return Asked(opened, anchors, yardsticks)


def _numbered(asked: Sequence[tuple[int, str]]) -> list[str]:
    """Paths by generation, from 1 on without a gap."""
    paths: dict[int, str] = {}
    for number, path in asked:
        if number in paths:
            raise SeedError(
                f"--generation {number} is given twice ({paths[number]} and {path}); a glob or "
                "folder takes several files"
            )
        paths[number] = path
    missing = next((n for n in range(1, len(paths) + 1) if n not in paths), None)
    if missing is not None:
        raise SeedError(
            f"--generation {max(paths)} without --generation {missing}: number them 1, 2, ... in "
            "the order in which they were made"
        )
    return [paths[number] for number in sorted(paths)]


def _texts(asked: Sequence[str], known: set[str]) -> dict[str, str]:
    """Text column by what it is for; "" for all others."""
    texts: dict[str, str] = {}
    for text in asked:
        which, equals, column = text.partition("=")
        which, column = (which, column) if equals else ("", text)
        if which and which not in known:
            raise SeedError(f"--text {text}: {which!r} is not one of {', '.join(sorted(known))}")
        if not column or which in texts:
            raise SeedError(f"--text {text}: give one column for each kind of text")
        texts[which] = column
    return texts


def _open(
    arguments: argparse.Namespace, texts: dict[str, str], number: int, which: str, path: str
) -> Opened:
    spec = SourceSpec(
        path=path,
        format=arguments.format,
        text=texts.get(which, texts.get("", SourceSpec.text)),
        split=arguments.split,
        max_chars=arguments.max_chars,
    )
    try:
        documents = open_documents(spec, store_spec(arguments.overrides))
    except SeedError as error:
        option = f"--generation {which}" if number > 0 else f"--{which}"
        raise SeedError(f"{option}: {error}") from error
    return Opened(DocumentSet(number, source_name(path), documents.rows), path, documents)


def with_batch(opened: Opened, fingerprints: int) -> DocumentSet:
    """The source, cut into batches that suit the length of its first documents."""
    first = next(opened.documents.scan())
    words = read_words(*texts_view(first.texts), NEWEST).counts
    return replace(opened.source, batch=batch_rows(float(words.mean()), fingerprints))
