"""A night: which one it is, what it has to do, and when it ends. Clocks are passed in.

Invariant: the log alone says which nights there were. A night's generation carries the night's key
in its stored recipe, so a start that is late, doubled or repeated finds it and grows nothing twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import inf
from typing import Any

from seedcorn.core.decisions.growth import Step, next_step, stored_recipe
from seedcorn.core.decisions.stopping import BUDGET, reason_not_to_start
from seedcorn.core.errors import SeedcornError
from seedcorn.core.forecast.prospects import ALL, governed
from seedcorn.core.log.entries import Decision
from seedcorn.core.log.state import STOP, CorpusState, GenerationState
from seedcorn.core.preflight.nightly import night_date, time_of
from seedcorn.core.recipe import NightlySpec, Recipe
from seedcorn.core.rule_numbers import counts_tokens
from seedcorn.core.scheduling.leasing import Cut

DONE, DEADLINE = "done", "deadline"
"""Why a night grows nothing; or target | stop_rule, as generations end."""
SKIP_NIGHT = "skip_night"
"""Action of the decision that a night grows nothing; its value is `{"night": key, "why": …}`."""
REPORTS = "reports/"
"""Where the nights' reports stand, beside the corpus: for people, read by nothing."""
INDEX, LATEST = f"{REPORTS}index.html", f"{REPORTS}latest.html"
"""The list of all nights, and the last night's page once more under a name that stays."""


@dataclass(frozen=True, slots=True)
class Night:
    """One night. Times are Unix seconds; `deadline` is endless where the recipe has none."""

    key: str
    """The date of the evening it began on, YYYY-MM-DD."""
    begins: float
    ends: float
    deadline: float
    deadline_text: str = ""
    """The deadline with its zone, for people."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Why a night grows nothing (more): `why` is done | deadline | target | stop_rule."""

    why: str
    text: str


def night_of(now: datetime, spec: NightlySpec) -> Night:
    """The night that `now`, in the recipe's zone, belongs to, or the one the recipe names.

    A night that is made up for has the deadline of the night it is made up in. Across a change of
    clocks a night is as long as its hands say, 23 or 25 hours.
    """
    begins = time_of("nightly.begins", spec.begins)
    evening = now.date() if now.time() >= begins else now.date() - timedelta(days=1)
    deadline, text = inf, ""
    if spec.deadline:
        at = time_of("nightly.deadline", spec.deadline)
        day = evening if at > begins else evening + timedelta(days=1)
        found = datetime.combine(day, at, now.tzinfo)
        deadline, text = found.timestamp(), f"{found:%Y-%m-%d %H:%M} {spec.timezone}"
    named = night_date(spec.key) if spec.key else evening
    first = datetime.combine(named, begins, now.tzinfo)
    last = datetime.combine(named + timedelta(days=1), begins, now.tzinfo)
    return Night(named.isoformat(), first.timestamp(), last.timestamp(), deadline, text)


def night_key(generation: GenerationState) -> str:
    """The night that a generation was grown in; empty for one of a plain `grow`."""
    return key_of(generation.recipe)


def key_of(stored: dict[str, Any]) -> str:
    """The night in a stored recipe; empty where it has none."""
    return str((stored.get("nightly") or {}).get("key", ""))


def between(earlier: str, later: str) -> list[str]:
    """The nights after `earlier` and before `later`, by key."""
    first, last = date.fromisoformat(earlier), date.fromisoformat(later)
    return [(first + timedelta(days=n)).isoformat() for n in range(1, (last - first).days)]


def report_key(night: str, ending: str) -> str:
    """Key of a night's report on the corpus' store; `ending` is json or html."""
    return f"{REPORTS}night-{night}.{ending}"


class OneNight:
    """Grows one night: what an earlier night left unfinished, then one generation."""

    def __init__(self, recipe: Recipe, night: Night, now: Callable[[], float]) -> None:
        """`now` gives Unix seconds."""
        self.night = night
        self._recipe, self._now = recipe, now

    def next(self, state: CorpusState) -> Step | None:
        """The generation to grow now, if the night has one to grow."""
        if self.rest(state) is not None:
            return None
        stored = stored_recipe(state)
        started = len(state.standing)
        asked = replace(
            self._recipe,
            generations=started if stored is not None else started + 1,
            nightly=replace(self._recipe.nightly, key=self.night.key),
        )
        return next_step(state, asked, stored)

    def rest(self, state: CorpusState) -> Rest | None:
        """Why nothing (more) is to be grown; None while there is something.

        Raises SeedcornError where the corpus has a later night than the clock.
        """
        late, unfinished = self._now() >= self.night.deadline, state.unfinished
        if unfinished is not None:
            text = f"generation {unfinished.number} waits unfinished for the next night"
            return Rest(DEADLINE, f"{self._passed()}; {text}") if late else None
        for generation in state.standing.values():
            if night_key(generation) == self.night.key:
                text = f"generation {generation.number} is this night's"
                return Rest(DONE, text)
        self._refuse_backward_clock(state)
        if late:
            return Rest(DEADLINE, f"{self._passed()} before anything was started")
        if not state.standing:
            return None
        stop = reason_not_to_start(state, self._recipe.stop, self._recipe.prompts)
        return Rest(stop.why, stop.text) if stop is not None else None

    def due(self, state: CorpusState) -> Decision | None:
        """The decision that ends the open generation with what is open, at the deadline or once
        the night's budget is there. Asked after each batch, when everything else is decided."""
        generation = state.unfinished
        if generation is None or not generation.batches:
            return None
        units = generation.recipe["units"]
        cut = Cut(generation.samples, units["unit"], units["batch"])
        batch, _, _ = governed(cut, generation.batches, self._recipe.units.ahead)
        if batch >= cut.batches or batch <= generation.opened:
            return None
        found = self._reached(generation)
        if found is None:
            return None
        inputs, text = found
        value = {"samples": batch * cut.unit * cut.batch, "why": BUDGET, "night": self.night.key}
        return Decision(generation.number, batch, STOP, {**value, **inputs}, text)

    def why(self, state: CorpusState) -> str:
        """Why nothing more is grown, in a sentence; empty where the night simply is done."""
        rest = self.rest(state)
        return rest.text if rest is not None and rest.why != DONE else ""

    def skipped(self, state: CorpusState, rest: Rest) -> Decision:
        """What the log is told of a night that grows nothing."""
        value = {"night": self.night.key, "why": rest.why, "at": self._now()}
        return Decision(len(state.generations) + 1, 0, SKIP_NIGHT, value, rest.text)

    def _reached(self, generation: GenerationState) -> tuple[dict[str, Any], str] | None:
        """What ends the generation: the inputs, and a sentence."""
        now, budget = self._now(), self._recipe.nightly.budget
        if now >= self.night.deadline:
            minutes = (now - self.night.deadline) / 60
            text = f"{self._passed()}; decided {minutes:.0f} minutes after it"
            return {"deadline": self.night.deadline, "at": now}, text
        if budget.accepted and generation.accepted >= budget.accepted:
            text = f"{generation.accepted:,} accepted samples of {budget.accepted:,} a night"
            return {"accepted": generation.accepted}, text
        unique = _unique(generation)
        if budget.unique and unique >= budget.unique:
            text = f"{unique:,.0f} unique tokens of {budget.unique:,} a night"
            return {"unique": unique}, text
        return None

    def _passed(self) -> str:
        return f"the deadline of night {self.night.key}, {self.night.deadline_text}, has passed"

    def _refuse_backward_clock(self, state: CorpusState) -> None:
        newest = max((night_key(g) for g in state.generations.values()), default="")
        if newest > self.night.key and not self._recipe.nightly.key:
            raise SeedcornError(
                f"the corpus has a generation of night {newest}, but by the clock it is night "
                f"{self.night.key}: set the clock, or nightly.key to make up for a missed night"
            )


def _unique(generation: GenerationState) -> float:
    """Unique tokens of the open generation; under rule 1 of the ledger's unit U, as its newest
    forecast recorded it."""
    if counts_tokens(generation.rules):
        return generation.unique_tokens
    if not generation.prospects:
        return 0.0
    values = generation.prospects[-1].values
    return values["strata"][ALL]["sampled"] / values["rate"]
