"""What engine time went into: the goodput account of a generation, and the clock that feeds it.

Invariant (conservation): for every worker, time alive = starting + busy + idle, and over a
finished generation busy = useful + duplicate + rejected + failed + regenerated. A sample's engine
time is its share of the engine while it was in flight (runtime.busy), which is an attribution:
engines run samples together. Slot-seconds, the time that
samples were in flight, say whose the engine was. Everything here is measured and decides nothing.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedcorn.core.errors import CorruptCorpus
from seedcorn.core.sample import Outcome

USEFUL, REGENERATED, PENDING = "useful", "regenerated", "pending"
STARTING, IDLE, BUSY = "starting", "idle", "busy"
DROPPED = (Outcome.DUPLICATE.value, Outcome.REJECTED.value, Outcome.FAILED.value)
OF_BATCH: tuple[str, ...] = (USEFUL, *DROPPED, REGENERATED)
"""What a batch's engine seconds went into; together they are its `engine_seconds`."""
OF_ENGINES: tuple[str, ...] = (STARTING, BUSY, IDLE)
"""What engines did, whatever came of it; together they are the time they were alive."""
USES: tuple[str, ...] = (*OF_BATCH, STARTING, IDLE, PENDING)
"""The account in the order in which it is told. Pending: samples in flight, or staged in a batch
that is not committed; what is still pending when its generation ends was work for nothing."""


def split(outcomes: Sequence[str], seconds: Sequence[float], lost: float) -> dict[str, float]:
    """A batch's engine seconds by use. `outcomes` and `seconds` are per sample that counts,
    `lost` are those of rows that another row of the same sample beat."""
    found = _nothing(OF_BATCH)
    for outcome, cost in zip(outcomes, seconds, strict=True):
        found[USEFUL if outcome == Outcome.ACCEPTED.value else outcome] += cost
    found[REGENERATED] += lost
    return found


def summed(strata: Sequence[str], seconds: Sequence[float]) -> dict[str, float]:
    """Seconds by stratum, of those that took any, in order of name."""
    found: dict[str, float] = {}
    for stratum, cost in zip(strata, seconds, strict=True):
        found[stratum] = found.get(stratum, 0.0) + cost
    return {stratum: cost for stratum, cost in sorted(found.items()) if cost}


@dataclass(slots=True)
class Goodput:
    """One generation's account in seconds, fed with what its entries say."""

    spent: dict[str, float] = field(default_factory=lambda: _nothing(OF_BATCH))
    engines: dict[str, float] = field(default_factory=lambda: _nothing(OF_ENGINES))

    def add(self, sequence: int, seconds: Mapping[str, float]) -> None:
        """Seconds by use, of an entry; raises CorruptCorpus for a use that does not exist or less
        than no time."""
        for name, value in seconds.items():
            part = self.spent if name in self.spent else self.engines
            if name not in part or not value >= 0:
                raise CorruptCorpus(
                    f"log entry {sequence} says that engines spent {value} seconds on {name!r}"
                )
            part[name] += value

    def account(self, finished: bool) -> dict[str, float]:
        """Seconds by use, in order; empty where nothing was measured. They sum to the time that
        workers were alive, as far as the log saw it: a driver that is killed takes the time since
        its last entry with it."""
        unaccounted = max(0.0, self.engines[BUSY] - sum(self.spent.values()))
        parts = self.spent | {name: self.engines[name] for name in (STARTING, IDLE)}
        parts = parts | {PENDING: 0.0}
        parts[REGENERATED if finished else PENDING] += unaccounted
        return {name: parts[name] for name in USES} if sum(parts.values()) else {}


@dataclass(slots=True)
class SlotTime:
    """Slot-seconds of a generation's batches, by stratum."""

    seconds: Counter[str] = field(default_factory=Counter)
    partly: bool = False
    """Some batch took engine time and does not say which strata did."""

    def add(self, seconds: Mapping[str, float], engine_seconds: float) -> None:
        """Add those of a batch."""
        self.seconds.update(seconds)
        self.partly = self.partly or bool(engine_seconds and not seconds)

    def share(self, stratum: str) -> float | None:
        """The stratum's share of all; None where it is not known."""
        total = sum(self.seconds.values())
        return self.seconds[stratum] / total if total and not self.partly else None


def devices_of(engine: Mapping[str, Any]) -> float:
    """Devices that one engine occupies, of an engine section as `generation_started` stores it: its
    GPUs, or one: a CPU host, a slot of an endpoint."""
    vllm = engine.get("vllm") or {}
    parts = int(vllm.get("tensor_parallel", 1)) * int(vllm.get("pipeline_parallel", 1))
    counted = engine.get("kind") == "vllm"
    return (float(engine.get("gpus_per_worker") or 0) or 1.0) * parts if counted else 1.0


def goodput_line(account: Mapping[str, float]) -> str:
    """The account in whole per cent, parts above half a per cent only; empty for no account."""
    total = sum(account.values())
    if not total:
        return ""
    shares = {name: 100 * account.get(name, 0.0) / total for name in USES}
    return ", ".join(f"{share:.0f} % {name}" for name, share in shares.items() if share >= 0.5)


@dataclass(slots=True)
class Watch:
    """One worker as it is seen from outside: since when, and how busy it said it was."""

    seen: float
    """Until when its time is accounted for."""
    ready: bool = False
    busy: float = 0.0
    """Busy seconds accounted for, of those that the worker counts."""
    in_flight: int = 0
    tokens: int = 0
    """Completion tokens accounted for, as `busy`."""


class EngineTime:
    """The time of all workers of a run, split into starting, busy and idle, and the tokens that they
    finished. `take` and `take_tokens` hand them out in pieces, one for every entry; nothing is handed
    out twice."""

    def __init__(self, now: Callable[[], float]) -> None:
        """`now` is a monotonic clock in seconds."""
        self._now = now
        self._workers: dict[int, Watch] = {}
        self._since = _nothing(OF_ENGINES)
        self._tokens = 0

    def placed(self, slot: int) -> None:
        """Its process is there; nothing happens for one that was before."""
        if slot not in self._workers:
            self._workers[slot] = Watch(self._now())

    def ready(self, slot: int) -> None:
        """Its engine is up, for another generation if it was before."""
        worker, now = self._workers.get(slot), self._now()
        if worker is None:
            return
        self._since[IDLE if worker.ready else STARTING] += now - worker.seen
        self._workers[slot] = Watch(now, ready=True)  # A new generation counts from nought.

    def progress(self, slot: int, busy_s: float, in_flight: int, tokens: int = 0) -> None:
        """What the worker counts since it began on this generation: busy seconds, and tokens of what
        it finished."""
        worker, now = self._workers.get(slot), self._now()
        if worker is None or not worker.ready:
            return
        # Messages take time: what does not fit between two looks is left to the next one.
        busy = max(0.0, min(busy_s - worker.busy, now - worker.seen))
        self._since[BUSY] += busy
        self._since[IDLE] += now - worker.seen - busy
        worker.busy, worker.seen, worker.in_flight = worker.busy + busy, now, in_flight
        self._tokens += max(0, tokens - worker.tokens)
        worker.tokens = max(worker.tokens, tokens)

    def gone(self, slot: int) -> None:
        """The process ended. What it did since its last word: what it did then."""
        worker, now = self._workers.pop(slot, None), self._now()
        if worker is None:
            return
        rest = BUSY if worker.in_flight else IDLE
        self._since[rest if worker.ready else STARTING] += now - worker.seen

    def take(self) -> dict[str, float]:
        """Seconds by what engines did since the last call."""
        taken, self._since = self._since, _nothing(OF_ENGINES)
        return taken

    def take_tokens(self) -> int:
        """Completion tokens of samples that were finished since the last call, whatever came of
        them."""
        taken, self._tokens = self._tokens, 0
        return taken


def _nothing(names: tuple[str, ...]) -> dict[str, float]:
    return dict.fromkeys(names, 0.0)
