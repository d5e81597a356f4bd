"""The fold refuses what contradicts it, by entry number, and keeps every promise it folds."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.errors import CorruptCorpus, RecipeError
from seedcorn.core.log.entries import (
    BatchCommitted,
    Decision,
    Entry,
    GenerationAbandoned,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    ObjectRef,
    SeedAdded,
    Withdrawn,
    WriterOpened,
)
from seedcorn.core.log.state import (
    AUDIT,
    COMPANIONS,
    DROP_STRATUM,
    FORECAST,
    MOVE_BUDGET,
    STOP,
    CorpusState,
    abandoned_in,
    require_same_recipe,
)
from seedcorn.core.recipe import DedupSpec, Recipe, RunSpec, UnitsSpec


def fold(*bodies) -> CorpusState:
    state = CorpusState()
    for body in bodies:
        log(state, body)
    return state


def log(state: CorpusState, body) -> None:
    state.apply(Entry(state.sequence, "nonce", "", 0.0, body))


def seed(rows: int, ordinal: int, role: str = "seed", name: str = "s") -> SeedAdded:
    return SeedAdded(role, name, {}, rows, ordinal, "f")


def started(generation: int) -> GenerationStarted:
    return GenerationStarted(generation, {"name": "r"}, "f", "s", {})


def batch(number=0, first_unit=0, ordinal=0, generation=1, accepted=3, units=2) -> BatchCommitted:
    last = first_unit + units - 1
    return BatchCommitted(
        generation=generation,
        batch=number,
        first_unit=first_unit,
        last_unit=last,
        first_index=4 * first_unit,
        last_index=4 * last + 3,
        ordinal=ordinal,
        counts={"accepted": accepted, "rejected": 4 * units - accepted},
        reasons={},
        strata={},
        tokens={},
        data=[ObjectRef(f"data/{generation}-{number}", 1, "", accepted)] if accepted else [],
        dropped=[ObjectRef(f"dropped/{generation}-{number}", 1, "", 4 * units - accepted)],
        sketch=None,
        sketch_rate=1.0,
        engine_seconds=1.0,
    )


@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["seed", "evaluation"]), st.integers(0, 9)), max_size=4
    ),
    accepted=st.lists(st.lists(st.integers(0, 8), max_size=4), max_size=3),
)
@settings(max_examples=80, deadline=None)
def test_fold_gives_every_document_one_ordinal_and_every_shard_one_place(rows, accepted):
    state, owned = CorpusState(), []
    for role, count in rows:
        log(state, seed(count, state.next_ordinal, role))
        owned += (
            range(state.sources[-1].ordinal, state.sources[-1].ordinal + count)
            if (role == "seed")
            else []
        )
    for generation, batches in enumerate(accepted, start=1):
        log(state, started(generation))
        for number, count in enumerate(batches):
            log(state, batch(number, 2 * number, state.next_ordinal, generation, count))
            owned += range(state.next_ordinal - count, state.next_ordinal)
        assert state.unfinished is state.generations[generation]
        log(state, GenerationFinished(generation, "exhausted"))

    assert state.unfinished is None
    assert owned == list(range(state.next_ordinal))
    for generation, batches in enumerate(accepted, start=1):
        held = state.generations[generation]
        assert (held.accepted, held.batches, held.units) == (
            sum(batches),
            len(batches),
            2 * len(batches),
        )
        assert sum(ref.rows for ref in held.shards) == held.accepted
        assert [rows for _, rows in held.ordinals] == batches


@given(
    generations=st.lists(
        st.tuples(st.booleans(), st.lists(st.integers(0, 8), max_size=3)), min_size=1, max_size=5
    )
)
@settings(max_examples=60, deadline=None)
def test_abandoned_generations_keep_number_and_ordinals_and_count_for_nothing(generations):
    state, bodies = CorpusState(), []
    for number, (stands, batches) in enumerate(generations, start=1):
        bodies.append(started(number))
        ordinal = sum(sum(sizes) for _, sizes in generations[: number - 1])
        for place, count in enumerate(batches):
            bodies.append(batch(place, 2 * place, ordinal, number, count))
            ordinal += count
        ended = GenerationFinished(number, "exhausted") if stands else GenerationAbandoned(number)
        bodies.append(ended)
    entries = [Entry(n, "nonce", "", 0.0, body) for n, body in enumerate(bodies, start=0)]
    for entry in entries:
        state.apply(entry)

    kept = [number for number, (stands, _) in enumerate(generations, start=1) if stands]
    assert list(state.standing) == kept
    assert sorted({*state.standing, *state.abandoned}) == list(range(1, len(generations) + 1))
    assert abandoned_in(entries) == set(state.abandoned)
    assert state.next_ordinal == sum(sum(sizes) for _, sizes in generations)
    assert state.unfinished is None
    assert all(
        isinstance(bodies[one.abandoned], GenerationAbandoned) for one in state.abandoned.values()
    )


@pytest.mark.parametrize(
    "late",
    [
        batch(ordinal=5, generation=1, number=1, first_unit=2),
        GenerationFinished(1, "exhausted"),
        GenerationAbandoned(1),
        started(1),
    ],
)
def test_nothing_joins_an_abandoned_generation_any_more(late):
    state = fold(*GROWING, GenerationAbandoned(1, "wrong model"))

    with pytest.raises(CorruptCorpus, match="log entry 5"):
        log(state, late)


def test_finished_generation_cannot_be_abandoned():
    state = fold(*GROWING, GenerationFinished(1, "exhausted"))

    with pytest.raises(CorruptCorpus, match="adds to generation 1, not open"):
        log(state, GenerationAbandoned(1))


GROWING = (WriterOpened("h", 1, "v"), seed(5, 0), started(1), batch(ordinal=5))
NEXT = batch(1, 2, ordinal=8)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (batch(0, 0, ordinal=5), "commits batch 0 from unit 0 .* demands .1, 2, 8."),
        (replace(NEXT, batch=2), "commits batch 2"),
        (replace(NEXT, first_unit=3), "from unit 3"),
        (replace(NEXT, first_unit=1), "from unit 1"),
        (replace(NEXT, ordinal=9), "ordinal 9"),
        (replace(NEXT, last_unit=1), "units 2 to 1, which is no range"),
        (replace(NEXT, generation=2), "generation 2, not open"),
        (replace(NEXT, generation=0), "generation 0, not open"),
        (GenerationFinished(2, "exhausted"), "generation 2, not open"),
        (started(2), "starts generation 2 while 1 exist and one is open"),
        (started(1), "starts generation 1"),
        (seed(4, 7, name="late"), "source late claims ordinal 7, the next free one is 8"),
    ],
)
def test_contradiction_is_refused_and_names_the_entry(body, words):
    state = fold(*GROWING)

    with pytest.raises(CorruptCorpus, match=f"log entry 4.*{words}"):
        log(state, body)


@pytest.mark.parametrize("body", [NEXT, GenerationFinished(1, "again"), started(3), started(1)])
def test_finished_generation_takes_nothing_more(body):
    state = fold(*GROWING, GenerationFinished(1, "exhausted"))

    with pytest.raises(CorruptCorpus, match="log entry 5"):
        log(state, body)


@pytest.mark.parametrize("sequence", [0, 3, 5])
def test_entry_out_of_its_turn_is_refused(sequence):
    state = fold(*GROWING)

    with pytest.raises(CorruptCorpus, match=f"log entry {sequence} follows entry 3"):
        state.apply(Entry(sequence, "nonce", "", 0.0, NEXT))


def test_entries_that_change_no_documents_leave_ordinals_alone():
    state = fold(
        *GROWING,
        Decision(1, 1, "sketch_rate", {"rate": 0.5}, "full"),
        Withdrawn("licence", {}, {}, ObjectRef("ids", 1, "", 1)),
        seed(9, 0, "evaluation", "e"),
        NEXT,
    )

    assert state.next_ordinal == 11
    assert len(state.withdrawn) == 1
    assert [source.name for source in state.sources_of("evaluation")] == ["e"]


PLANNED = GenerationStarted(1, {"name": "r", "samples": 100, "units": {"ahead": 2}}, "f", "s", {})


def decision(action, value, number=3, generation=1):
    return Decision(generation, number, action, value, "why")


def test_decisions_cut_the_plan_and_change_the_mix_from_their_batch_on():
    mixes = [{"a": 0.0, "b": 1.0}, {"a": 0.0, "b": 3.0}]
    state = fold(
        PLANNED,
        decision(DROP_STRATUM, {"stratum": "a", "weights": mixes[0]}),
        decision(MOVE_BUDGET, {"stratum": "a", "to": "b", "weights": mixes[1]}, 5),
        decision(STOP, {"samples": 60, "why": "target"}),
        decision(STOP, {"samples": 80, "why": "budget"}),
        decision("sketch_rate", {"rate": 0.5}),
    )
    held = state.generations[1]

    assert held.samples == 60
    assert held.mixes == {3: mixes[0], 5: mixes[1]}
    assert [d.action for d in held.decisions] == [
        *("drop_stratum", "move_budget", "stop", "stop", "sketch_rate")
    ]


def test_two_mixes_of_one_batch_are_the_later_one():
    weights = [{"a": 0.0, "b": 1.0, "c": 1.0}, {"a": 0.0, "b": 0.0, "c": 1.0}]
    bodies = [decision(DROP_STRATUM, {"weights": mix}) for mix in weights]

    assert fold(PLANNED, *bodies).generations[1].mixes == {3: weights[1]}


def test_decision_about_a_generation_that_never_started_changes_nothing():
    state = fold(PLANNED, decision(STOP, {"samples": 0}, generation=2))

    assert list(state.generations) == [1]
    assert state.generations[1].samples == 100


def forecast(batches, governed, generation=1):
    subject = {"generation": generation, "batches": batches, "batch": governed}
    return Measurement(FORECAST, subject, {"rate": 1.0, "strata": {}})


def test_forecasts_are_kept_in_order_and_tell_what_was_open_before():
    state = fold(PLANNED)
    held = state.generations[1]
    opened = [held.opened]
    for batches, governed in ((1, 6), (2, 4), (3, 8), (4, 6), (5, 7)):
        log(state, forecast(batches, governed))
        opened.append(held.opened)

    # The window before the first batch, then what every earlier entry governed.
    assert opened == [2, 2, 6, 6, 8, 8]
    assert [said.subject["batch"] for said in held.prospects] == [6, 4, 8, 6, 7]


def test_newest_measurement_of_each_name_and_stratum_counts():
    def measured(name, value, **subject):
        return Measurement(name, subject, {"v": value})

    state = fold(
        PLANNED,
        measured(AUDIT, 1, generation=1),
        measured(AUDIT, 2, generation=1, stratum="a"),
        measured(COMPANIONS, 3, generation=1),
        GenerationFinished(1, "exhausted"),
        measured(AUDIT, 4, generation=1, stratum=""),
        measured("seed_sketch", 5, sequence=1),
        measured(AUDIT, 6, generation=2),
    )
    held = state.generations[1]

    assert {key: body.values["v"] for key, body in held.measured.items()} == {
        (AUDIT, ""): 4,
        (AUDIT, "a"): 2,
        (COMPANIONS, ""): 3,
    }
    assert held.prospects == []


def test_newest_writer_is_the_writer():
    state = fold(WriterOpened("one", 1, "v"))
    state.apply(Entry(1, "second", "", 0.0, WriterOpened("two", 2, "v")))

    assert (state.writer.host, state.nonce) == ("two", "second")


def test_unfinished_generation_with_other_semantic_fields_is_refused_naming_them():
    stored = Recipe(name="r", samples=10)
    changed = replace(stored, samples=11, dedup=replace(stored.dedup, threshold=0.9))

    with pytest.raises(RecipeError, match=r"dedup\.threshold: 0\.7 → 0\.9; samples: 10 → 11"):
        require_same_recipe(stored, changed)


def test_operational_fields_may_change_between_runs():
    stored = Recipe(name="r", samples=10)

    require_same_recipe(
        stored,
        replace(
            stored,
            corpus="elsewhere",
            generations=9,
            units=UnitsSpec(unit=1, batch=1, ahead=9),
            run=RunSpec(max_restarts=0),
            dedup=DedupSpec(actors=8),
        ),
    )
