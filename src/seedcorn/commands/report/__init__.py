"""`seedcorn report CORPUS -o report.html`: the ledger as one page to look at."""

import argparse

from seedcorn.commands.arguments import add_corpus, count

PAIRS = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument(
        "-o",
        "--output",
        default="report.html",
        metavar="FILE",
        help="the page to write (default report.html); an existing one is replaced",
    )
    parser.add_argument(
        "-n", type=count, default=PAIRS, help=f"duplicates shown of each kind (default {PAIRS})"
    )


def run(arguments: argparse.Namespace) -> int:
    """Fold the log, read a few duplicates and samples, and write the page."""
    from seedcorn.commands.corpus import read_corpus, store_spec
    from seedcorn.commands.report.examples import find_examples
    from seedcorn.commands.report.page import build_page, write_page
    from seedcorn.commands.report.pairs import find_pairs
    from seedcorn.commands.views.output import say
    from seedcorn.core.figures import counted, size
    from seedcorn.core.ledger.ledger import to_json
    from seedcorn.storage.log.reading import read_ledger

    store, state = read_corpus(arguments)
    document = to_json(read_ledger(store))
    pairs = find_pairs(store, store_spec(arguments.overrides), state, arguments.n)
    examples = find_examples(store, state, state.standing.values())
    page = build_page(document, pairs, store.uri.rstrip("/").rpartition("/")[2], examples)
    written = size(write_page(arguments.output, page))
    generations = counted(len(document["generations"]), "generation")
    say(f"{arguments.output}: {generations}, {written}, needs no network")
    return 0
