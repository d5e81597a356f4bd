"""`seedcorn doctor [RECIPE] [CORPUS] [--engine]`: can this store, machine, recipe and engine be trusted?

Exit code 0: nothing fails. 1: something does, and what to do is said. 2: it could not be checked.
"""

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from seedcorn.commands.arguments import positive_count

if TYPE_CHECKING:
    from seedcorn.commands.doctor.table import Group
    from seedcorn.config import LoadedRecipe

FINE, FAILING, UNCHECKED = 0, 1, 2
ENDINGS = (".yaml", ".yml")
"""What a recipe's file is called; anything else is a corpus."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare arguments."""
    parser.add_argument(
        "corpus",
        nargs="?",
        metavar="RECIPE|CORPUS",
        help="a folder or a URI to probe, or a recipe (.yaml) to examine before it is grown",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        metavar="key=value",
        help="store.key=value for the store; with --recipe, any recipe key",
    )
    parser.add_argument(
        "--recipe",
        metavar="RECIPE",
        help="also examine this recipe: model or endpoint, prompts, seed, memory, disk",
    )
    parser.add_argument(
        "--engine", action="store_true", help="start the recipe's engine and write one sample"
    )
    parser.add_argument(
        "--rounds", type=positive_count, default=20, help="rounds of concurrent writes (default 20)"
    )
    parser.add_argument(
        "--lock", metavar="FILE", help="check only the versions that a lock file pins"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Check everything asked for; print as it comes."""
    import sys

    from seedcorn.commands.doctor.table import as_json, print_group
    from seedcorn.core.errors import RecipeError, StoreError

    _sort_words(arguments)
    if arguments.engine and not arguments.recipe:
        raise RecipeError("--engine starts the engine of a recipe: give --recipe RECIPE")
    groups: list[Group] = []
    try:
        for group in _groups(arguments):
            groups.append(group)
            if not arguments.json:
                print_group(group)
    except StoreError as error:
        sys.stderr.write(f"seedcorn: could not check: {error}\n")
        return UNCHECKED
    if arguments.json:
        from seedcorn.commands.views.output import say

        say(as_json(groups))
    failing = any(not finding.ok for _, findings in groups for finding in findings)
    return FAILING if failing else FINE


def _sort_words(arguments: argparse.Namespace) -> None:
    """RECIPE first, then CORPUS, if they are given; what is left overrides keys."""
    words = [word for word in (arguments.corpus, *arguments.overrides) if word is not None]
    if not arguments.recipe and words and words[0].endswith(ENDINGS):
        arguments.recipe = words.pop(0)
    arguments.corpus = words.pop(0) if words and "=" not in words[0] else None
    arguments.overrides = words


def _groups(arguments: argparse.Namespace) -> Iterator["Group"]:
    """(what is checked, its findings), one group after the other."""
    from seedcorn.commands.doctor.machine import environment, lock_file, versions
    from seedcorn.commands.doctor.ray import ray

    if arguments.lock:
        yield f"versions in {arguments.lock}", lock_file(arguments.lock)
        return
    loaded = _recipe(arguments)
    yield "versions against security floors", versions()
    yield "environment", environment()
    if loaded is None or loaded.recipe.run.on_ray:
        yield "Ray", ray()
    if loaded is not None:
        from seedcorn.commands.doctor.recipe import examined

        yield from examined(loaded, arguments.engine)
    yield from _store(arguments)


def _recipe(arguments: argparse.Namespace) -> "LoadedRecipe | None":
    from seedcorn.config import load_recipe

    return load_recipe(arguments.recipe, arguments.overrides) if arguments.recipe else None


def _store(arguments: argparse.Namespace) -> Iterator["Group"]:
    from seedcorn.commands.corpus import PREFIX, store_spec
    from seedcorn.commands.doctor.store import probed
    from seedcorn.storage.stores.opening import open_store

    if not arguments.corpus:
        return
    given = [word for word in arguments.overrides if word.startswith(PREFIX)]
    spec = store_spec(given if arguments.recipe else arguments.overrides)
    yield (
        f"store {arguments.corpus}",
        probed(open_store(arguments.corpus, spec), spec, arguments.rounds),
    )
