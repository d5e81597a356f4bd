"""Grows one night: `grow` under the guidance of `core.night.night`, and a word in the log where a night
grows nothing.

A start that is late, doubled or repeated finds in the log what the night has done, and a start
beside a living writer is refused like any other (CorpusBusy).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from seedcorn.core.errors import RecipeError
from seedcorn.core.night.chronicle import chronicle
from seedcorn.core.night.night import DONE, Night, OneNight, Rest, night_of
from seedcorn.core.preflight.validation import validate
from seedcorn.core.recipe import LoadedRecipe, NightlySpec, RunSpec
from seedcorn.runtime.driver.grow import Grown, fold, grow
from seedcorn.runtime.driver.ports import Host
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.writing import writing
from seedcorn.storage.stores.opening import open_store
from seedcorn.storage.stores.store import Store


@dataclass(frozen=True, slots=True)
class NightOutcome:
    """How a night's run ended. `rest` says why nothing more is to be grown; None if drained."""

    night: Night
    grown: Grown
    rest: Rest | None


def current_night(spec: NightlySpec, now: float) -> Night:
    """The night of a moment (Unix seconds); raises RecipeError for a zone nobody knows."""
    return night_of(datetime.fromtimestamp(now, zone_of(spec)), spec)


def zone_of(spec: NightlySpec) -> tzinfo:
    """The zone of its times; raises RecipeError for one nobody knows."""
    try:
        return ZoneInfo(spec.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RecipeError(
            f"nightly.timezone: {spec.timezone!r} is no time zone known here; write an "
            "IANA name such as Europe/Berlin, and install tzdata where the machine has no zones"
        ) from error


def grow_night(
    loaded: LoadedRecipe,
    view: Callable[[Snapshot], None],
    host: Host,
    clock: Callable[[], float],
) -> NightOutcome:
    """Finish what an earlier night left, then grow tonight's generation, if there is one to grow.

    `clock` gives Unix seconds. Raises what `grow` raises, CorpusBusy beside a living writer.
    """
    recipe = loaded.recipe
    validate(recipe)
    guide = OneNight(recipe, current_night(recipe.nightly, clock()), clock)
    grown = grow(loaded, view, host, guide, clock)
    if not grown.complete:
        return NightOutcome(guide.night, grown, None)
    store = open_store(recipe.corpus, recipe.store)
    state, _ = fold(store)
    rest = guide.rest(state)
    if rest is not None and rest.why != DONE:
        note_skipped(store, guide, clock, recipe.run, recipe.takeover)
    return NightOutcome(guide.night, grown, rest)


def note_skipped(
    store: Store, guide: OneNight, clock: Callable[[], float], run: RunSpec, takeover: bool
) -> None:
    """Tell the log, once a night, that and why nothing was grown: a night that rests by decision
    is not a night that was missed."""
    skipped_nights = {one.night for found in chronicle(read_log(store)) for one in found.skipped}
    if guide.night.key in skipped_nights:
        return
    state, head = fold(store)
    if state.sequence == 0:
        return
    with writing(store, head, state.apply, run, takeover, clock) as log:
        rest = guide.rest(state)
        if rest is not None and rest.why != DONE:
            state.apply(log.append(guide.skipped(state, rest)))
