"""Arguments that several commands share."""

import argparse


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
