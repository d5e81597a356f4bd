"""`seedcorn show CORPUS`: read a corpus with your own eyes, and why samples were dropped."""

import argparse

from seedcorn.commands.arguments import add_corpus, count
from seedcorn.core.sample import OUTCOMES


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument("-n", type=count, default=3, help="samples of each kind (default 3)")
    parser.add_argument("--generation", type=count, metavar="N", help="only this generation")
    parser.add_argument("--outcome", choices=OUTCOMES, help="only this outcome")


def run(arguments: argparse.Namespace) -> int:
    """Print accepted and dropped samples side by side."""
    from seedcorn.commands.corpus import generations_asked, open_corpus, store_spec
    from seedcorn.commands.show.choice import Choice, choose
    from seedcorn.commands.show.table import sample_table
    from seedcorn.commands.show.witness import witnesses
    from seedcorn.commands.views.output import console
    from seedcorn.storage.log.reading import read_state

    store = open_corpus(arguments)
    state = read_state(store)
    generations = generations_asked(state, arguments.generation)
    accepted = [ref for g in generations for ref in g.shards]
    dropped = [ref for g in generations for ref in g.dropped]
    asked = Choice(store, state, arguments.n, arguments.outcome)
    kept, gone = choose(asked, accepted, dropped)
    found = witnesses(store, store_spec(arguments.overrides), state, gone)
    screen = console()
    if not kept and not gone:
        screen.print("no committed sample of this kind yet")
        return 0
    screen.print(sample_table(kept, gone, found))
    return 0
