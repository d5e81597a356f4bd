"""What one schedule is like: the recipe that is grown, the drivers that come, the faults that happen.

Everything is drawn from the seed. Each kind of fault is absent from about half of the schedules
(swarm testing: a fault that ends every run early hides what another one would show).
"""

import random
from dataclasses import dataclass, fields

from seedcorn.core.recipe import (
    DedupSpec,
    EngineSpec,
    LedgerSpec,
    PromptSpec,
    Recipe,
    RunSpec,
    StopSpec,
    TargetSpec,
    UnitsSpec,
)


@dataclass
class Weather:
    """Rates per operation of everything that can go wrong."""

    driver_dies: float = 0.0
    worker_dies: float = 0.0
    keeper_dies: float = 0.0
    part_lost: float = 0.0
    """A call to a part of the index is lost, before or after it was done."""
    part_repeats: float = 0.0
    """A call to a part of the index arrives twice."""
    engine_dies: float = 0.0
    request_lost: float = 0.0
    answer_lost: float = 0.0
    lands_late: float = 0.0
    """A request is given up by its client and lands much later all the same."""
    refused: float = 0.0
    """409, 429 or 5xx: no definite answer, nothing done."""
    outage: float = 0.0
    """The store does not answer a process until every deadline is over."""
    slow: float = 0.0
    message_twice: float = 0.0
    message_lost: float = 0.0
    straggler: float = 0.0
    damage: float = 0.0
    """Per schedule: a checkpoint's object is damaged."""

    @classmethod
    def drawn(cls, chance: random.Random) -> "Weather":
        """Swarm: about half of the kinds, each at a rate of its own; one time in five a storm, in
        which several attempts at a batch differ and what was given up lands late."""
        if chance.random() < 0.2:
            return cls(**STORM)
        weather = cls()
        for kind in fields(cls):
            rate = chance.choice((0.004, 0.01, 0.03, 0.08)) * SCALE.get(kind.name, 1.0)
            setattr(weather, kind.name, rate if chance.random() < 0.5 else 0.0)
        return weather


STORM = {
    "driver_dies": 0.01,
    "worker_dies": 0.02,
    "keeper_dies": 0.02,
    "part_lost": 0.01,
    "answer_lost": 0.02,
    "lands_late": 0.12,
    "slow": 0.1,
    "message_twice": 0.3,
    "straggler": 0.1,
}
SCALE = {
    "driver_dies": 0.5,
    "worker_dies": 0.5,
    "keeper_dies": 0.4,
    "outage": 0.05,
    "engine_dies": 0.3,
    "straggler": 3.0,
    "slow": 2.0,
    "damage": 10.0,
}


@dataclass(frozen=True)
class Arrival:
    """An operator starts a driver."""

    at: float
    takeover: bool
    drains_after: float
    """Seconds until it is told to drain; infinite: never."""


@dataclass(frozen=True)
class Plan:
    """One schedule, before it runs."""

    seed: int
    recipe: Recipe
    weather: Weather
    arrivals: tuple[Arrival, ...]
    deterministic: bool
    """A sample generated again has the same text."""
    values: int
    """Different texts there are; few, so that duplicates are common."""
    seeds: int
    """Seed documents."""
    collectors: int
    """Times somebody runs gc."""
    readers: int


def plan_of(seed: int) -> Plan:
    """The schedule of a seed."""
    chance = random.Random(f"plan {seed}")
    arrivals = [_arrival(chance, first=True)]
    arrivals += [_arrival(chance, first=False) for _ in range(chance.choice((0, 1, 1, 2, 3)))]
    return Plan(
        seed=seed,
        recipe=_recipe(chance),
        weather=Weather.drawn(chance),
        arrivals=tuple(sorted(arrivals, key=lambda arrival: arrival.at)),
        deterministic=chance.random() < 0.3,
        values=chance.choice((8, 8, 16, 40, 120)),
        seeds=chance.choice((0, 0, 3)),
        collectors=chance.choice((0, 1, 3)),
        readers=chance.choice((1, 1, 2)),
    )


def undisturbed(plan: Plan) -> Plan:
    """The same corpus, grown by one driver in fair weather."""
    first = Arrival(0.0, True, float("inf"))
    return Plan(
        plan.seed,
        plan.recipe,
        Weather(),
        (first,),
        plan.deterministic,
        plan.values,
        plan.seeds,
        0,
        0,
    )


def _arrival(chance: random.Random, first: bool) -> Arrival:
    at = 0.0 if first else chance.uniform(0, 10) * chance.random()
    drains = chance.uniform(0.5, 6) if chance.random() < 0.15 else float("inf")
    return Arrival(at, chance.random() < 0.6, drains)


def _recipe(chance: random.Random) -> Recipe:
    samples = chance.randint(3, 16)
    target = chance.randint(2, samples) if chance.random() < 0.2 else 0
    return Recipe(
        name="simulated",
        generations=chance.choice((1, 1, 2)),
        samples=samples,
        prompts=[PromptSpec("only", "none")],
        engine=EngineSpec(kind="simulated", workers=chance.choice((1, 2, 2, 3))),
        dedup=DedupSpec(actors=chance.choice((1, 1, 2)), checkpoint_every=chance.choice((1, 2, 9))),
        units=UnitsSpec(chance.randint(1, 3), chance.randint(1, 3), chance.randint(0, 2)),
        ledger=LedgerSpec(companions=0),
        stop=StopSpec(target=TargetSpec(accepted=target)),
        run=RunSpec(
            stage_interval_s=chance.choice((0.1, 0.5, 2.0)),
            heartbeat_s=2.0,
            lease_s=6.0,
            hedge_factor=chance.choice((1.2, 2.0)),
            lease_deadline_s=chance.choice((0.0, 6.0)),
        ),
    )
