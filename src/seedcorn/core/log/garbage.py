"""What may be deleted, decided from names and the log alone: no clock, no guess.

A shard object is garbage iff every unit in its name's range is committed by entries that do not
name it; a staged segment iff its unit is committed, or was left out of a plan that a decision cut
short. Of an abandoned generation all that no entry names is garbage. Anything else may still be wanted by a writer that is alive, so it stays, whatever it is.
"""

from collections.abc import Iterable
from math import ceil, inf

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.log.layout import DATA, DROPPED, STAGING, parse_segment, parse_shard
from seedcorn.core.log.state import CorpusState


def garbage(state: CorpusState, keys: Iterable[str]) -> list[str]:
    """The keys that may be deleted, sorted. Names that are not ours are never among them."""
    named = {
        ref.key
        for generation in state.generations.values()
        for ref in (*generation.shards, *generation.dropped)
    }
    return sorted(key for key in keys if key not in named and _covered(state, key))


def _covered(state: CorpusState, key: str) -> bool:
    try:
        if key.startswith((DATA, DROPPED)):
            shard = parse_shard(key)
            if shard.generation in state.abandoned:
                return True
            return shard.last_unit < _committed_units(state, shard.generation)
        if key.startswith(STAGING):
            segment = parse_segment(key)
            if segment.generation in state.abandoned:
                return True
            return not (
                _committed_units(state, segment.generation)
                <= segment.unit
                < _planned_units(state, segment.generation)
            )
    except CorruptCorpus:
        return False
    return False


def _planned_units(state: CorpusState, generation: int) -> float:
    """Units that decisions left in the plan; without end where the log does not say."""
    found = state.generations.get(generation)
    if found is None or "samples" not in found.recipe:
        return inf
    unit = found.recipe.get("units", {}).get("unit", 0)
    return ceil(found.samples / unit) if unit else inf


def _committed_units(state: CorpusState, generation: int) -> int:
    """Units 0 .. n - 1 of the generation are committed; batches commit in order."""
    found = state.generations.get(generation)
    return found.units if found is not None else 0
