"""`seedcorn ledger CORPUS`: the fold over the log, as tables or as JSON."""

import argparse

from seedcorn.commands.arguments import add_corpus


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument("--json", action="store_true", help="everything, as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Fold the log and print what each generation added."""
    import json

    from seedcorn.commands.corpus import no_corpus, open_corpus
    from seedcorn.commands.views.ledger_notes import notes
    from seedcorn.commands.views.ledger_table import print_ledger
    from seedcorn.commands.views.output import console, say
    from seedcorn.core.ledger.ledger import to_json
    from seedcorn.storage.log.reading import read_ledger

    store = open_corpus(arguments)
    ledger = read_ledger(store)
    if ledger.sequence < 0:
        raise no_corpus(store)
    if arguments.json:
        document = {"corpus": store.uri, **to_json(ledger)}
        say(json.dumps(document, indent=2, ensure_ascii=False))
        return 0
    print_ledger(console(), ledger.rows(), ledger.strata(), notes(to_json(ledger)))
    return 0
