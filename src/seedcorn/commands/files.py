"""`seedcorn files CORPUS`: committed shards, whatever else lies in the folder."""

import argparse

from seedcorn.commands.arguments import add_corpus, count


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument("--generation", type=count, metavar="N", help="only this generation")
    parser.add_argument("--dropped", action="store_true", help="shards of dropped samples instead")


def run(arguments: argparse.Namespace) -> int:
    """Print one URI per line, in commit order."""
    from seedcorn.commands.corpus import generations_asked, read_corpus
    from seedcorn.commands.views.output import say

    store, state = read_corpus(arguments)
    root = store.uri.rstrip("/")
    for generation in generations_asked(state, arguments.generation):
        for ref in generation.dropped if arguments.dropped else generation.shards:
            say(f"{root}/{ref.key}")
    return 0
