"""`seedcorn abandon CORPUS [--reason TEXT]`: give up the generation that is unfinished.

Nothing is deleted and no number is used again: one log entry says that the generation counts for
nothing. The entry is written as any other, by the corpus' only writer.
"""

import argparse
import shlex
from typing import TYPE_CHECKING

from seedcorn.commands.arguments import add_corpus
from seedcorn.core.errors import SeedcornError
from seedcorn.core.figures import counted

if TYPE_CHECKING:
    from seedcorn.core.log.state import CorpusState, GenerationState


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument(
        "--reason", default="", metavar="TEXT", help="the reason, recorded permanently"
    )
    parser.add_argument(
        "--takeover", action="store_true", help="fence a writer that seems to be alive"
    )
    parser.epilog = (
        "The next `seedcorn grow` starts a new generation, from the generations before the "
        "abandoned one. To take back samples of a finished generation, use `seedcorn withdraw`."
    )


def run(arguments: argparse.Namespace) -> int:
    """Become the writer, append one entry, say what it means."""
    from seedcorn.commands.corpus import no_corpus, open_corpus
    from seedcorn.commands.views.output import harmless, say
    from seedcorn.core.log.entries import GenerationAbandoned
    from seedcorn.core.log.state import CorpusState
    from seedcorn.core.recipe import RunSpec
    from seedcorn.storage.log.log import LogReader
    from seedcorn.storage.log.writing import writing

    store = open_corpus(arguments)
    state, reader = CorpusState(), LogReader(store)
    for entry in reader:
        state.apply(entry)
    if state.sequence == 0:
        raise no_corpus(store)
    require_unfinished(state, store.uri)
    with writing(store, reader.head, state.apply, RunSpec(), arguments.takeover) as log:
        generation = require_unfinished(state, store.uri)
        state.apply(log.append(GenerationAbandoned(generation.number, arguments.reason.strip())))
    say(harmless(outcome(generation, store.uri)))
    return 0


def require_unfinished(state: "CorpusState", corpus: str) -> "GenerationState":
    """The generation to abandon; raises SeedcornError where none is open."""
    if state.unfinished is not None:
        return state.unfinished
    newest = state.generations.get(len(state.generations))
    if newest is None:
        what = "no generation has started yet"
    elif newest.abandoned:
        what = f"generation {newest.number} is abandoned already"
    else:
        what = (
            f"generation {newest.number} is finished; `seedcorn withdraw` takes back samples of a "
            "finished one"
        )
    raise SeedcornError(f"{corpus} has no unfinished generation to abandon: {what}")


def outcome(generation: "GenerationState", corpus: str) -> str:
    """What was given up, and what may be done about what is left of it."""
    had = f"{counted(generation.batches, 'batch', 'batches')} with {generation.accepted:,} accepted"
    return (
        f"generation {generation.number} of {corpus} is abandoned: its {had} count for nothing; "
        f"number {generation.number} is not used again\n"
        f"its committed shards stay and are skipped; delete what else it left with: "
        f"{shlex.join(['seedcorn', 'gc', corpus])}"
    )
