"""`seedcorn files CORPUS`: committed shards of generations that stand, whatever else lies there."""

import argparse
import sys

from seedcorn.commands.arguments import add_corpus, count
from seedcorn.core.figures import counted


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument("--generation", type=count, metavar="N", help="only this generation")
    parser.add_argument("--dropped", action="store_true", help="shards of dropped samples instead")


def run(arguments: argparse.Namespace) -> int:
    """Print one URI per line, in commit order; what is left out of abandoned generations on stderr."""
    from seedcorn.commands.corpus import generations_asked, read_corpus
    from seedcorn.commands.views.output import say

    store, state = read_corpus(arguments)
    root = store.uri.rstrip("/")
    for generation in generations_asked(state, arguments.generation):
        for ref in generation.dropped if arguments.dropped else generation.shards:
            say(f"{root}/{ref.key}")
    for number, one in state.abandoned.items():
        left = counted(len(one.dropped if arguments.dropped else one.shards), "shard")
        sys.stderr.write(f"generation {number} was abandoned: its {left} not listed\n")
    return 0
