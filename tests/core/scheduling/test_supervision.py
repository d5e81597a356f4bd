"""When a run gives up: exactly when nobody is left who could work, with the cause named."""

from itertools import takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.errors import RunStopped
from seedcorn.core.scheduling.supervision import (
    LONG_PATIENCE,
    LONGEST_WAIT_S,
    PATIENCE,
    Slot,
    Supervisor,
)


def supervisor(slots: int, max_restarts: int = 20) -> Supervisor:
    return Supervisor({number: Slot() for number in range(slots)}, max_restarts)


def fails(crew: Supervisor, slot: int, cause: str, times: int, **how: bool) -> list[float]:
    return [crew.failed(slot, cause, **how) for _ in range(times)]


def test_same_cause_on_every_slot_without_work_stops_and_names_it():
    crew = supervisor(2)
    fails(crew, 0, "no GPU memory", PATIENCE + 2)
    fails(crew, 1, "no GPU memory", PATIENCE - 1)

    with pytest.raises(RunStopped, match=r"every worker fails.*no GPU memory.*run the same"):
        crew.failed(1, "no GPU memory")


def test_one_slot_alone_says_the_worker():
    crew = supervisor(1)
    fails(crew, 0, "boom", PATIENCE - 1)

    with pytest.raises(RunStopped, match="the worker fails, last with: boom"):
        crew.failed(0, "boom")


def test_a_slot_that_never_failed_keeps_the_run_alive():
    crew = supervisor(3, max_restarts=5)
    fails(crew, 0, "bad host", 9)
    fails(crew, 1, "bad host", 9)

    assert crew.given_up(0)
    assert not crew.given_up(2)


def test_work_in_between_cleans_the_record():
    crew = supervisor(1)
    for _ in range(50):
        fails(crew, 0, "spot instance reclaimed", PATIENCE - 1)
        crew.worked(0)

    assert crew.failed(0, "spot instance reclaimed") == 1.0
    assert crew.restarts == 50 * (PATIENCE - 1) + 1


def test_different_causes_are_tried_until_restarts_run_out():
    crew = supervisor(1, max_restarts=8)
    for number in range(8):
        crew.failed(0, f"cause {number}")

    with pytest.raises(RunStopped, match="cause 8"):
        crew.failed(0, "cause 8")


def test_final_failure_gives_its_slot_up_at_once_and_all_of_them_stop_the_run():
    crew = supervisor(2)
    crew.failed(0, "no such model A", final=True)

    assert crew.given_up(0)
    assert not crew.given_up(1)
    with pytest.raises(RunStopped, match="no such model A; no such model B"):
        crew.failed(1, "no such model B", final=True)


def test_deaths_in_quarantine_do_not_exhaust_patience():
    crew = supervisor(1)

    waits = fails(crew, 0, "engine died on a suspect", 12, quarantined=True)

    assert len(waits) == 12
    assert not crew.given_up(0)


def test_waits_double_up_to_the_longest_and_never_overflow():
    crew = supervisor(2, max_restarts=3000)

    waits = [crew.failed(0, f"pid {n}") for n in range(2000)]

    assert waits[:4] == [1.0, 2.0, 4.0, 8.0]
    assert set(waits[10:]) == {LONGEST_WAIT_S}


def test_what_may_come_back_is_tried_for_about_two_minutes_and_no_longer():
    crew = supervisor(1)

    waits = fails(crew, 0, "nothing answers", LONG_PATIENCE - 1, patience=LONG_PATIENCE)

    assert 100 < sum(waits) < 150
    with pytest.raises(RunStopped, match="nothing answers"):
        crew.failed(0, "nothing answers", patience=LONG_PATIENCE)


def test_slots_that_close_leave_the_verdict_to_those_that_stay():
    crew = supervisor(1)
    crew.opened(1)
    fails(crew, 0, "boom", PATIENCE + 1)
    crew.closed(1)

    with pytest.raises(RunStopped, match="the worker fails, last with: boom"):
        crew.failed(0, "boom")
    assert not crew.given_up(1)


def test_slot_that_is_opened_again_keeps_its_record():
    crew = supervisor(2)
    crew.failed(0, "no such model", final=True)

    crew.opened(0)

    assert crew.given_up(0)


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(["worked", "A", "B", "final"]),
        st.booleans(),
    ),
    max_size=80,
)


@given(events=EVENTS)
@settings(max_examples=40, deadline=None)
def test_run_stops_only_when_no_slot_has_a_chance_left(events):
    crew = supervisor(3, max_restarts=6)
    since: list[list[tuple[str, bool]]] = [[], [], []]
    for slot, event, quarantined in events:
        if crew.given_up(slot):
            continue
        if event == "worked":
            crew.worked(slot)
            since[slot] = []
            continue
        since[slot].append((event, quarantined))
        try:
            crew.failed(slot, event, final=event == "final", quarantined=quarantined)
        except RunStopped:
            assert all(_no_chance(past, since) for past in since)
            return
        assert not all(crew.given_up(other) for other in range(3))


def _no_chance(past, everyone) -> bool:
    if not past:
        return False
    spent = past[-1][0] == "final" or len(past) > 6
    row = list(takewhile(lambda failure: failure[0] == past[-1][0], reversed(past)))
    unexplained = [cause for cause, quarantined in row if not quarantined]
    same = all(other and other[-1][0] == past[-1][0] for other in everyone)
    return spent or (len(unexplained) >= PATIENCE and same)
