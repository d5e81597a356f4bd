"""Arguments that several commands share, and a command line said again."""

import argparse
import shlex
import sys


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """RECIPE [key=value …]."""
    parser.add_argument(
        "recipe", metavar="RECIPE", help="a YAML file, such as pipelines/dry_run.yaml"
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="key=value",
        help="recipe keys to override, such as samples=48 or engine.workers=2",
    )


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """--quiet."""
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="no progress: warnings, and how it ended"
    )


def announce(arguments: argparse.Namespace) -> None:
    """A first line, at once: what comes next is imported for seconds."""
    from seedcorn.runtime.log_format import json_wanted

    if not (arguments.quiet or json_wanted()):
        sys.stderr.write(f"reading {arguments.recipe}\n")
        sys.stderr.flush()


def add_corpus(parser: argparse.ArgumentParser) -> None:
    """CORPUS [store.key=value …]."""
    parser.add_argument(
        "corpus", metavar="CORPUS", help="a folder or a URI such as s3://bucket/prefix"
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="store.key=value",
        help="how to reach the store, such as store.endpoint=http://127.0.0.1:8333",
    )


def positive(text: str) -> float:
    """A number above zero."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def count(text: str) -> int:
    """A whole number, zero or more."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def positive_count(text: str) -> int:
    """A whole number, one or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return value


def command(
    arguments: argparse.Namespace, generations: int | None = None, verb: str = "grow"
) -> str:
    """This command line again, perhaps with more generations; a takeover is not repeated."""
    gone = {"takeover"} | ({"generations"} if generations is not None else set())
    kept = [item for item in arguments.overrides if item.partition("=")[0] not in gone]
    more = [] if generations is None else [f"generations={generations}"]
    return shlex.join(["seedcorn", verb, arguments.recipe, *kept, *more])


def stopped_at_once(onward: str) -> str:
    """The message after a second Ctrl-C; `onward` is the command that continues."""
    return (
        "seedcorn: stopped at once; everything committed or staged is stored; continue with: "
        f"{onward}\n"
    )
