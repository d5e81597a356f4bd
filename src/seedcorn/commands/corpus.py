"""Opening the corpus that a command was given: a URI or folder, and how its store is reached."""

import argparse
from dataclasses import fields, replace
from typing import Any

from seedcorn.core.errors import ObjectMissing, RecipeError, SeedcornError
from seedcorn.core.log.state import CorpusState, GenerationState
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.reading import read_state
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store

PREFIX = "store."
TRUTH = {"true": True, "false": False}


def store_spec(overrides: list[str]) -> StoreSpec:
    """`store.endpoint=URL` and the like, as a StoreSpec; raises RecipeError naming a bad one."""
    known = {item.name: getattr(StoreSpec(), item.name) for item in fields(StoreSpec)}
    values: dict[str, Any] = {}
    for override in overrides:
        key, equals, text = override.partition("=")
        name = key.removeprefix(PREFIX)
        if not equals or name == key or name not in known:
            choices = ", ".join(f"{PREFIX}{one}=" for one in known)
            raise RecipeError(f"{override!r}: with a corpus, give only {choices}")
        values[name] = _typed(override, text, type(known[name]))
    return replace(StoreSpec(), **values)


def open_corpus(arguments: argparse.Namespace) -> Store:
    """The store of `arguments.corpus`; nothing is read yet."""
    return open_store(arguments.corpus, store_spec(arguments.overrides))


def read_corpus(arguments: argparse.Namespace) -> tuple[Store, CorpusState]:
    """Store and folded log; raises ObjectMissing where there is no corpus."""
    store = open_corpus(arguments)
    return store, read_state(store)


def no_corpus(store: Store) -> ObjectMissing:
    """The error for a place without a log."""
    return ObjectMissing(f"{store.uri} holds no corpus: there is no log under it")


def generations_asked(state: CorpusState, number: int | None) -> list[GenerationState]:
    """All generations that stand, or the one asked for; raises SeedcornError when it does not."""
    standing = state.standing
    if number is None:
        return list(standing.values())
    if number in state.abandoned:
        why = state.abandoned[number].why_abandoned
        raise SeedcornError(f"generation {number} was abandoned" + (f": {why}" if why else ""))
    if number not in standing:
        existing = f"it has {len(standing)}" if standing else "it has none yet"
        raise SeedcornError(f"the corpus has no generation {number}; {existing}")
    return [standing[number]]


def _typed(override: str, text: str, wanted: type) -> Any:
    try:
        return TRUTH[text.lower()] if wanted is bool else wanted(text)
    except (KeyError, ValueError) as error:
        kind = {bool: "true or false", float: "a number"}.get(wanted, "text")
        raise RecipeError(f"{override!r}: the value must be {kind}") from error
