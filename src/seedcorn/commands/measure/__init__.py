"""`seedcorn measure`: the ledger of text that other tools made. Reads only; no corpus is written."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from seedcorn.commands.arguments import count, positive_count

if TYPE_CHECKING:
    from seedcorn.commands.measure.sources import Asked, Opened
    from seedcorn.core.ledger.document import LedgerDocument
    from seedcorn.core.measure.foreign import ForeignLedger
    from seedcorn.core.measure.foreign_batch import RowBlock
    from seedcorn.core.measure.second_reading import HeldOut
    from seedcorn.core.recipe import LedgerSpec
    from seedcorn.core.teaching.taught import Pool
    from seedcorn.storage.seeds.reader import ScanBatch

MAX_CHARS = 1_000_000


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="store.key=value",
        help="how to reach stores, such as store.endpoint=http://127.0.0.1:8333",
    )
    _configure_sources(parser)
    parser.add_argument(
        "--fingerprints",
        type=positive_count,
        metavar="N",
        help="hashes kept per shingle length before the sample rate is halved (default "
        "10,000,000, about 2.5 GB of memory at most)",
    )
    parser.add_argument(
        "--companions",
        type=count,
        metavar="N",
        help="documents per generation measured for novel bits, order and diversity (default 400; "
        "0: none)",
    )
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    parser.add_argument("-o", "--output", metavar="FILE", help="also write the report as HTML")


def _configure_sources(parser: argparse.ArgumentParser) -> None:
    """What is read, and how."""
    parser.add_argument(
        "--generation",
        action="append",
        required=True,
        type=numbered,
        metavar="N=PATH",
        help="documents of generation N: a Parquet, JSONL or text file, folder or glob, on any "
        "fsspec store; given once per generation, from 1 on",
    )
    for option, text in (
        ("--seed", "documents that existed before generation 1; may be given several times"),
        ("--anchor", "held-out real text of 300 documents or more, to measure what is taught"),
        ("--yardstick", "as much more of such text, to say in words of it what that is worth"),
    ):
        parser.add_argument(option, action="append", default=[], metavar="PATH", help=text)
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="[WHICH=]COLUMN",
        help="column or JSON key of the text (default text); WHICH is seed, anchor, yardstick or a "
        "number where they differ",
    )
    formats = ("auto", "parquet", "jsonl", "text")
    parser.add_argument(
        "--format", choices=formats, default="auto", help="default: by file extension"
    )
    parser.add_argument(
        "--split",
        choices=("file", "paragraph", "line"),
        default="file",
        help="what counts as one document in a plain text file (default file)",
    )
    parser.add_argument(
        "--max-chars",
        type=positive_count,
        default=MAX_CHARS,
        metavar="N",
        help=f"longer documents count as failed (default {MAX_CHARS:,})",
    )


def numbered(text: str) -> tuple[int, str]:
    """`1=PATH`; argparse shows what is wrong with it."""
    number, equals, path = text.partition("=")
    if not equals or not path or not number.isdecimal() or not int(number):
        raise argparse.ArgumentTypeError(f"{text!r} must read N=PATH with N from 1 on")
    return int(number), path


def run(arguments: argparse.Namespace) -> int:
    """Read every source, fold it, read it again for the companions, print what each generation added."""
    import json

    from seedcorn.commands.measure.sources import open_sources
    from seedcorn.commands.measure.words import about
    from seedcorn.commands.views.ledger_notes import notes
    from seedcorn.commands.views.ledger_table import print_ledger
    from seedcorn.commands.views.output import console, say
    from seedcorn.core.ledger.document import LedgerDocument
    from seedcorn.core.ledger.ledger import to_json

    asked = open_sources(arguments)
    measured, cut = _measured(arguments, asked)
    ledger, remarks = measured.ledger, about(asked, cut)
    corpus = ", ".join(o.path for o in asked.sources if o.source.number)
    document: LedgerDocument = {"corpus": corpus, "notes": remarks, **to_json(ledger)}
    if arguments.output:
        _write_page(arguments.output, document, corpus)
    if arguments.json:
        say(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    print_ledger(console(), ledger.rows(), ledger.strata(), [*notes(document), *remarks])
    if arguments.output:
        say(f"{arguments.output}: the same as a page")
    return 0


def _measured(arguments: argparse.Namespace, asked: "Asked") -> "tuple[ForeignLedger, int]":
    """The ledger, and how many texts were cut for the companions."""
    import sys
    from dataclasses import replace

    from seedcorn.commands.measure.words import memory_line
    from seedcorn.commands.views.progress import counting
    from seedcorn.core.measure.foreign import ForeignLedger
    from seedcorn.core.measure.second_reading import HeldOut
    from seedcorn.core.recipe import LedgerSpec
    from seedcorn.storage.samples.batches import texts_view

    settings = LedgerSpec()
    if arguments.fingerprints is not None:
        settings = replace(settings, fingerprints=arguments.fingerprints)
    if arguments.companions is not None:
        settings = replace(settings, companions=arguments.companions)
    sys.stderr.write(f"{memory_line(asked, settings)}\n")
    measured = ForeignLedger(settings, _held_out(asked) if settings.companions else HeldOut())
    with counting("documents measured", asked.rows) as advance:
        cut = sum(_read(measured, opened, settings, advance) for opened in asked.sources)
    reading = measured.second_reading()
    if reading is not None:
        with counting("documents compared", asked.rows) as advance:
            for opened in asked.sources:
                for batch in opened.documents.scan():
                    reading.look(*texts_view(batch.texts), len(batch.usable))
                    advance(len(batch.usable))
        measured.measured(reading)
    return measured, cut


def _read(measured: "ForeignLedger", opened: "Opened", settings: "LedgerSpec", advance: Any) -> int:
    from collections import Counter

    from seedcorn.commands.measure.sources import with_batch
    from seedcorn.core.errors import SeedError

    problems: Counter[str] = Counter()
    measured.open(with_batch(opened, settings.fingerprints))
    for batch in opened.documents.scan():
        measured.add(_piece(batch))
        problems.update(batch.problems)
        advance(len(batch.usable))
    if problems.total() == opened.source.rows:
        found = ", ".join(f"{number} {problem}" for problem, number in sorted(problems.items()))
        raise SeedError(f"{opened.path} has no usable document: {found}")
    return measured.close().cut


def _held_out(asked: "Asked") -> "HeldOut":
    """Anchor and yardstick, drawn fairly where they are large."""
    from seedcorn.core.measure.second_reading import HeldOut
    from seedcorn.core.teaching.taught import ANCHOR_DOCUMENTS, POOL

    return HeldOut(_pool(asked.anchors, ANCHOR_DOCUMENTS), _pool(asked.yardsticks, POOL))


def _pool(sources: "Sequence[Opened]", most: int) -> "Pool":
    import numpy as np

    from seedcorn.core.companions.draws import Draw

    draw = Draw.of(most, sum(opened.source.rows for opened in sources))
    for number, opened in enumerate(sources):
        for batch in opened.documents.scan():
            used = np.flatnonzero(batch.usable)
            texts = batch.texts.take(used)
            draw = draw.with_rows(
                f"{number}", batch.first_ordinal + used, lambda row, held=texts: held[row].as_py()
            )
    return draw.rows


def _piece(batch: "ScanBatch") -> "RowBlock":
    from seedcorn.core.measure.foreign_batch import RowBlock
    from seedcorn.core.text.words import NEWEST, read_words
    from seedcorn.storage.samples.batches import texts_view

    words = read_words(*texts_view(batch.texts), NEWEST)
    return RowBlock(words, batch.usable, batch.problems, lambda row: batch.texts[row].as_py())


def _write_page(name: str, document: "LedgerDocument", title: str) -> None:
    from seedcorn.commands.report.page import build_page, write_page

    write_page(name, build_page(document, (), title))
