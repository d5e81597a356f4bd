"""Which rows of the seed are held back, and what lineage would call them."""

from seedcorn.core.errors import SeedError, StoreError
from seedcorn.core.log.rules import rules_of
from seedcorn.core.log.state import CorpusState, Source
from seedcorn.core.recipe import StoreSpec
from seedcorn.core.row_names import numbered
from seedcorn.core.verify.family import HeldBack
from seedcorn.storage.seeds.catalogue import Catalogue
from seedcorn.storage.seeds.held_out import held_of
from seedcorn.storage.seeds.reader import SeedReader
from seedcorn.storage.stores.store import Store


def held_back(store: Store, spec: StoreSpec, state: CorpusState) -> tuple[HeldBack, list[str]]:
    """What is held back, and warnings where a source cannot be read: rows with ids are named by
    them. Raises CorruptCorpus for an object that is not what the log has."""
    held, names, warnings = held_of(store, state.held), set[str](), list[str]()
    for source in state.sources_of("seed"):
        rows = held.within(source.ordinal, source.rows).ordinals.tolist()
        try:
            names.update(_names(store, spec, (source, rows), state))
        except (SeedError, StoreError) as error:
            text = f"parents were not held against the rows held back of {source.name}: {error}"
            warnings.append(text)
    return HeldBack(frozenset(held.ordinals.tolist()), frozenset(names)), warnings


def _names(
    store: Store, spec: StoreSpec, part: tuple[Source, list[int]], state: CorpusState
) -> list[str]:
    source, rows = part
    rules, catalogue = rules_of(state), Catalogue.from_dict(source.catalogue)
    if not catalogue.columns.id:
        return [numbered(source.name, row, rules) for row in rows]
    if not rows:
        return []
    reader = SeedReader(catalogue, store, spec, rules=rules)
    return [parent.id for parent in reader.read(rows)]
