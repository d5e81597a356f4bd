"""Deletion over random logs: never what the log names, never what may still be committed."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.log.entries import (
    BatchCommitted,
    Decision,
    Entry,
    GenerationAbandoned,
    GenerationFinished,
    GenerationStarted,
    ObjectRef,
)
from seedcorn.core.log.garbage import garbage
from seedcorn.core.log.layout import SegmentName, ShardName
from seedcorn.core.log.state import STOP, CorpusState

STRANGERS = [
    "log/0000000000.json",
    "writer.json",
    "checkpoints/0000000001/manifest.json",
    "sketches/x.npz",
    "data/gen-0001/notes.txt",
    "data/gen-0001/part-00000000-00000000-0000000000000000.parquet\n",
    "data/gen-00001/part-00000000-00000000-0000000000000000.parquet",
    "staging/gen-0001/unit-00000000-0000000000000000.parquet.part",
    "staging/.hidden",
]


@dataclass
class Corpus:
    """A log's fold beside plain sets that say the same."""

    state: CorpusState
    named: set[str]
    committed: set[tuple[int, int]]


def shard(role, generation, first, last, salt) -> str:
    return ShardName(role, generation, first, last, f"{salt:016x}").key


def corpus(generations: list[list[int]], finished: bool) -> Corpus:
    """Generations given as their batches' sizes in units."""
    held = Corpus(CorpusState(), set(), set())

    def log(body) -> None:
        held.state.apply(Entry(held.state.sequence, "w", "", 0.0, body))

    for number, sizes in enumerate(generations, start=1):
        log(GenerationStarted(number, {}, "f", "s", {}))
        unit = 0
        for batch, size in enumerate(sizes):
            last = unit + size - 1
            refs = [
                ObjectRef(shard(r, number, unit, last, 1), 1, "", 1) for r in ("data", "dropped")
            ]
            log(_batch(number, batch, unit, last, held.state.next_ordinal, refs))
            held.named |= {ref.key for ref in refs}
            held.committed |= {(number, u) for u in range(unit, last + 1)}
            unit = last + 1
        if number < len(generations) or finished:
            log(GenerationFinished(number, "exhausted"))
    return held


def _batch(generation, batch, first, last, ordinal, refs) -> BatchCommitted:
    return BatchCommitted(
        generation=generation,
        batch=batch,
        first_unit=first,
        last_unit=last,
        first_index=2 * first,
        last_index=2 * last + 1,
        ordinal=ordinal,
        counts={"accepted": 1, "rejected": 1},
        reasons={},
        strata={},
        tokens={},
        data=refs[:1],
        dropped=refs[1:],
        sketch=None,
        sketch_rate=1.0,
        engine_seconds=0.0,
    )


SIZES = st.lists(st.lists(st.integers(1, 3), max_size=4), min_size=0, max_size=3)
OBJECTS = st.lists(
    st.tuples(
        st.sampled_from(["data", "dropped", "staging"]),
        st.integers(1, 4),
        st.integers(0, 12),
        st.integers(0, 3),
        st.integers(0, 2),
    ),
    max_size=40,
)


@given(sizes=SIZES, finished=st.booleans(), objects=OBJECTS)
@settings(max_examples=40, deadline=None)
def test_garbage_over_any_log_is_exactly_what_committed_units_left_behind(sizes, finished, objects):
    held = corpus(sizes, finished)
    units: dict[str, set[tuple[int, int]]] = {}
    for role, generation, first, more, salt in objects:
        if role == "staging":
            key = SegmentName(generation, first, f"{salt:016x}").key
            units[key] = {(generation, first)}
        else:
            key = shard(role, generation, first, first + more, salt)
            units[key] = {(generation, u) for u in range(first, first + more + 1)}

    doomed = garbage(held.state, [*units, *held.named, *STRANGERS])

    assert doomed == sorted(
        key for key, mine in units.items() if mine <= held.committed and key not in held.named
    )


def test_garbage_of_an_empty_corpus_is_nothing():
    keys = [shard("data", 1, 0, 0, 1), SegmentName(1, 0, "0" * 16).key, *STRANGERS]

    assert garbage(CorpusState(), keys) == []


def test_shard_that_reaches_into_an_uncommitted_unit_stays():
    held = corpus([[2]], finished=False)

    assert garbage(held.state, [shard("data", 1, 1, 2, 9)]) == []
    assert garbage(held.state, [shard("data", 1, 0, 0, 9)]) == [shard("data", 1, 0, 0, 9)]


@given(sizes=st.lists(st.integers(1, 3), max_size=4), objects=OBJECTS)
@settings(max_examples=40, deadline=None)
def test_garbage_of_an_abandoned_generation_is_all_that_no_entry_names(sizes, objects):
    held = corpus([[2], sizes], finished=False)
    held.state.apply(Entry(held.state.sequence, "w", "", 0.0, GenerationAbandoned(2)))
    keys = {
        SegmentName(2, first, f"{salt:016x}").key
        if role == "staging"
        else shard(role, 2, first, first + more, salt)
        for role, _, first, more, salt in objects
    }

    assert garbage(held.state, [*keys, *held.named, *STRANGERS]) == sorted(keys - held.named)


@pytest.mark.parametrize(
    ("recipe", "samples", "kept"),
    [
        # Units of 2: 5 samples reach into unit 2, 4 do not; unit 0 is committed.
        ({"samples": 20, "units": {"unit": 2}}, 5, [1, 2]),
        ({"samples": 20, "units": {"unit": 2}}, 4, [1]),
        ({"samples": 20, "units": {"unit": 2}}, 2, []),
        ({"samples": 20, "units": {"unit": 2}}, 20, [1, 2, 3, 4]),
        # A recipe that does not say how it was cut leaves nothing out.
        ({"samples": 20}, 2, [1, 2, 3, 4]),
        ({"units": {"unit": 2}}, 2, [1, 2, 3, 4]),
    ],
)
def test_segment_beyond_a_plan_that_a_decision_cut_short_is_garbage(recipe, samples, kept):
    state = CorpusState()
    ref = ObjectRef(shard("data", 1, 0, 0, 1), 1, "", 1)
    for body in (
        GenerationStarted(1, recipe, "f", "s", {}),
        _batch(1, 0, 0, 0, 0, [ref]),
        Decision(1, 1, STOP, {"samples": samples, "why": "budget"}, ""),
    ):
        state.apply(Entry(state.sequence, "w", "", 0.0, body))
    keys = [SegmentName(1, unit, f"{unit:016x}").key for unit in range(5)]

    assert garbage(state, keys) == [key for n, key in enumerate(keys) if n not in kept]
