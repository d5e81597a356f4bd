"""`seedcorn withdraw CORPUS --where KEY=VALUE --reason TEXT`: take samples out of readers' sight.

Nothing is deleted: one log entry names the ids and carries their sketch, so that the ledger shows
what was added and what remains. The entry is written as any other, by the corpus' only writer.
"""

import argparse
from typing import TYPE_CHECKING

from seedcorn.commands.arguments import add_corpus
from seedcorn.core.figures import counted

if TYPE_CHECKING:
    from seedcorn.commands.withdraw.choice import Choice
    from seedcorn.core.ledger.rows import GenerationRow
    from seedcorn.core.ledger.withdrawal import Selection
    from seedcorn.core.log.entries import Entry
    from seedcorn.storage.stores.store import Store

NOTHING = 1
"""Exit code when no sample matches."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    add_corpus(parser)
    parser.add_argument(
        "--where",
        action="append",
        required=True,
        type=condition,
        metavar="KEY=VALUE",
        help="which samples: generation, stratum, id, parent, source or model; values of one key "
        "are alternatives, different keys must all match",
    )
    parser.add_argument(
        "--reason",
        required=True,
        type=reason,
        metavar="TEXT",
        help="the reason, recorded permanently",
    )
    parser.add_argument(
        "--takeover", action="store_true", help="fence a writer that seems to be alive"
    )


def condition(text: str) -> tuple[str, str]:
    """One --where; argparse shows what is wrong with it."""
    from seedcorn.core.ledger.withdrawal import parse_condition

    try:
        return parse_condition(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def reason(text: str) -> str:
    """A reason that says something."""
    if not text.strip():
        raise argparse.ArgumentTypeError("give a reason: it is all that later readers will learn")
    return text.strip()


def run(arguments: argparse.Namespace) -> int:
    """Choose samples, become the writer, append one entry."""
    from seedcorn.commands.corpus import no_corpus, open_corpus
    from seedcorn.core.ledger.withdrawal import select
    from seedcorn.core.recipe import RunSpec
    from seedcorn.storage.log.log import LogReader
    from seedcorn.storage.log.writing import writing

    store, selection = open_corpus(arguments), select(arguments.where)
    corpus, reader = FoldedCorpus(store), LogReader(store)
    for entry in reader:
        corpus.fold(entry)
    if corpus.state.sequence == 0:
        raise no_corpus(store)
    choice = corpus.choose(selection)
    if not choice.ids:
        return _nothing(choice, selection)
    with writing(store, reader.head, corpus.fold, RunSpec(), arguments.takeover) as log:
        if corpus.state.sequence != reader.head.sequence + 1:
            # Somebody appended between reading and opening: what was chosen may be gone by now.
            choice = corpus.choose(selection)
        if not choice.ids:
            return _nothing(choice, selection)
        before = corpus.ledger.rows()
        entry = log.append(choice.body(store, selection, arguments.reason))
        corpus.fold(entry)
    _print_withdrawn(entry, choice, before, corpus.ledger.rows())
    return 0


class FoldedCorpus:
    """State and ledger of a corpus, folded together."""

    def __init__(self, store: "Store") -> None:
        """Empty; `fold` the entries in order."""
        from seedcorn.core.ledger.ledger import Ledger
        from seedcorn.core.log.state import CorpusState, abandoned_in
        from seedcorn.core.recipe import LedgerSpec
        from seedcorn.storage.log.log import LogReader

        self._store = store
        self.state = CorpusState()
        abandoned = abandoned_in(LogReader(store))
        self.ledger = Ledger(LedgerSpec().fingerprints, abandoned=abandoned)

    def fold(self, entry: "Entry") -> None:
        """The next entry."""
        from seedcorn.storage.log.reading import read_deltas

        self.state.apply(entry)
        self.ledger.apply(entry, read_deltas(self._store, entry))

    def choose(self, selection: "Selection") -> "Choice":
        """Samples that match now, and their sketch at the ledger's rate."""
        from seedcorn.commands.withdraw.choice import choose

        return choose(self._store, self.state, selection, self.ledger.history.rate)


def _nothing(choice: "Choice", selection: "Selection") -> int:
    import sys

    asked = " ".join(f"{key}={value}" for key, value in selection.described().items())
    known = "; ".join(f"{key}: {', '.join(names)}" for key, names in choice.known().items())
    sys.stderr.write(
        f"seedcorn: nothing to withdraw: no accepted sample matches {asked}, or all that do were "
        f"withdrawn before. The corpus has {known or 'no accepted samples'}\n"
    )
    return NOTHING


def _print_withdrawn(
    entry: "Entry", choice: "Choice", before: "list[GenerationRow]", after: "list[GenerationRow]"
) -> None:
    from seedcorn.commands.views.ledger_table import net_headline
    from seedcorn.commands.views.output import say

    say(f"withdrew {counted(len(choice.ids), 'sample')} in log entry {entry.sequence}")
    for old, new in zip(before, after, strict=True):
        counts = choice.counts.get(str(new.generation))
        if counts is None and net_headline(old) == net_headline(new):
            continue
        gone = counts or {"samples": 0, "tokens": 0}
        say(
            f"gen {new.generation}  {counted(gone['samples'], 'sample')}, "
            f"{counted(gone['tokens'], 'token')}; net unique {net_headline(old)} to "
            f"{net_headline(new)}"
        )
    for name in choice.missing:
        say(f"not an accepted sample, or withdrawn before: {name}")
