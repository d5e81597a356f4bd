"""The command line: finds the subcommand, and turns every expected error into one clear line.

Only the chosen subcommand's module is imported, and that imports what is heavy when it runs. An
exception that is no SeedcornError is a bug and keeps its traceback.
"""

import argparse
import errno
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from seedcorn import __version__
from seedcorn.core.errors import BROKEN_PIPE, INTERRUPTED, Exhausted, SeedcornError

COMMANDS = {
    "grow": "grow a corpus: create it, resume its unfinished generation, or start the next one",
    "submit": "grow as a job on a Ray cluster; a second one for its corpus is refused or joined",
    "jobs": "seedcorn's jobs on a cluster, and the log of one",
    "stop": "drain a job: finish what is in flight, stage it, exit",
    "night": "grow one generation tonight, and report in the morning what it added",
    "plan": "what a recipe would do and cost: prompts, tokens, hours, memory; starts nothing",
    "ledger": "what each generation added",
    "forecast": "what the next samples or engine-hours would add, per stratum",
    "measure": "the ledger of text that other tools made; no corpus is written",
    "compare": "two corpora side by side: what each has, what both have, at equal tokens",
    "audit": "how much of the unique content is right: draw, judge, log",
    "report": "the ledger as one self-contained page to look at, with curves and duplicates",
    "show": "a few accepted and dropped samples side by side, and why they were dropped",
    "export": "accepted samples as a shuffled data set with a card, in a folder, bucket or hub",
    "doctor": "check a store or a recipe, this machine and the engine; say how to fix what fails",
    "files": "the committed shards, one URI per line",
    "verify": "re-read the log and the shards and prove that the corpus keeps its promises",
    "withdraw": "mark samples as withdrawn, with the reason; nothing is deleted",
    "abandon": "give up the unfinished generation, so that a changed recipe can start another",
    "gc": "delete objects that no log entry needs",
}
OUT_OF = {
    errno.EMFILE: "this process has reached its limit of open files; raise it (ulimit -n)",
    errno.ENFILE: "this machine has reached its limit of open files; stop what holds so many",
    errno.ENOSPC: "the disk for temporary files is full; free some space, or set TMPDIR",
    errno.EDQUOT: "the quota for temporary files is used up; free some space, or set TMPDIR",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code. Never raises SystemExit."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        if not words or words[0] not in COMMANDS:
            _overview().parse_args(words or ["--help"])
            return 2
        return _command(words[0], words[1:])
    except SystemExit as stop:  # argparse: help, version, or a wrong argument it has explained.
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except SeedcornError as error:
        if os.environ.get("SEEDCORN_DEBUG") == "1":
            sys.stderr.write(_shown("".join(traceback.format_exception(error))))
        sys.stderr.write(_shown(f"seedcorn: {error}\n"))
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("seedcorn: interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more at exit; point it where that cannot fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE


def exhausted(error: OSError) -> Exhausted | None:
    """What the machine has run out of, if that is what the error says."""
    cause = OUT_OF.get(error.errno or 0)
    if cause is None:
        return None
    return Exhausted(
        f"{error.strerror}: {cause}, then run the same command again: nothing committed or staged "
        "is lost"
    )


def _shown(text: str) -> str:
    from seedcorn.core.recipe.secrets import without_secrets

    return without_secrets(text, os.environ)


def _command(name: str, words: list[str]) -> int:
    module = importlib.import_module(f"seedcorn.commands.{name}")
    parser = argparse.ArgumentParser(f"seedcorn {name}", description=f"{COMMANDS[name]}.")
    module.configure(parser)
    # Intermixed: `plan RECIPE --prompts 1 samples=5` is as good as any other order.
    arguments = parser.parse_intermixed_args(words)
    try:
        code = module.run(arguments)
    except OSError as error:
        if (named := exhausted(error)) is None:
            raise
        raise named from error
    sys.stdout.flush()
    return code


def _overview() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "seedcorn",
        description="Grow synthetic text corpora, and measure how much of each generation is new.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n"
        + "\n".join(f"  {name:<9} {text}" for name, text in COMMANDS.items())
        + "\n\nseedcorn COMMAND --help says more. SEEDCORN_DEBUG=1 shows tracebacks.",
    )
    parser.add_argument("--version", action="version", version=f"seedcorn {__version__}")
    parser.add_argument(
        "command", choices=COMMANDS, metavar="COMMAND", help="one of the commands below"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
