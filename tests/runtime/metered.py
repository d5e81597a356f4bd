"""What a meter is told: a batch, and a look at a run."""

from seedcorn.core.log.entries import BatchCommitted
from seedcorn.runtime.driver.snapshot import Snapshot


def batch(**changes) -> BatchCommitted:
    """A batch of ten samples, as the log names it."""
    values = {
        "counts": {"accepted": 7, "duplicate": 2, "rejected": 1, "failed": 0},
        "tokens": {"accepted": 700, "generated": 1000, "prompt": 50},
        "goodput": {"useful": 3.0, "duplicate": 0.5, "busy": 4.0},
    }
    empty = {"reasons": {}, "strata": {}, "data": [], "dropped": [], "sketch": None}
    places = dict.fromkeys(
        ("batch", "first_unit", "last_unit", "first_index", "last_index", "ordinal"), 0
    )
    rest = {"generation": 1, "sketch_rate": 1.0, "engine_seconds": 3.5}
    return BatchCommitted(**(values | empty | places | rest | changes))


def look(generation: int = 1, **changes) -> Snapshot:
    values = {
        "generation": generation,
        "planned": 100,
        "generated": 40,
        "tokens_per_s": 0.0,
        "workers": 1,
        "in_flight": 0,
        "restarts": 0,
        "quarantined": 0,
        "open_batches": 3,
        "indexing": (0, 0),
    }
    return Snapshot(**(values | changes))
