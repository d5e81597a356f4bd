"""Finding the culprit: exactly the poisonous samples end failed, in a bounded number of deaths."""

from math import ceil, log2

from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.scheduling.quarantine import DEATHS_TO_FAIL, Quarantine

SUSPECTS = st.sets(st.integers(0, 60), min_size=1, max_size=40)


class Worker:
    """One quarantined engine that dies exactly when a poisonous prompt runs on it."""

    def __init__(self, poison: set[int], capacity: int, tells: bool) -> None:
        self.poison, self.capacity, self.tells = poison, capacity, tells
        self.staged: set[int] = set()
        self.failed: set[int] = set()
        self.deaths = self.runs = 0

    def run(self, quarantine: Quarantine) -> None:
        """One turn, as the crew takes it."""
        self.runs += 1
        for index in list(quarantine.poisonous):
            self.failed.add(index)
            quarantine.failed(index)
        group = quarantine.next_group()
        assert quarantine.next_group() == group
        done: set[int] = set()
        for start in range(0, len(group), self.capacity):
            wave = group[start : start + self.capacity]
            if self.poison & set(wave):
                self.deaths += 1
                self.staged |= done
                quarantine.died(done, wave if self.tells else (), "out of memory")
                return
            done |= set(wave)
        self.staged |= done
        quarantine.survived(done)


@given(
    suspects=SUSPECTS,
    poison=st.sets(st.integers(0, 60), max_size=6),
    capacity=st.integers(1, 50),
    tells=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_quarantine_fails_exactly_the_poisonous_in_a_bounded_number_of_deaths(
    suspects, poison, capacity, tells
):
    quarantine, worker = Quarantine(), Worker(poison, capacity, tells)
    quarantine.suspect(suspects)
    culprits = suspects & poison
    bound = len(culprits) * (ceil(log2(len(suspects))) + 1 + DEATHS_TO_FAIL)

    while quarantine.pending:
        assert quarantine.indices == suspects - worker.staged - worker.failed
        worker.run(quarantine)
        assert worker.deaths <= bound
        assert worker.runs <= 2 * bound + 2 * len(suspects) + 2

    assert worker.failed == culprits
    assert worker.staged == suspects - culprits


@given(suspects=SUSPECTS, more=SUSPECTS, poison=st.integers(0, 60), runs=st.integers(0, 8))
@settings(max_examples=60, deadline=None)
def test_suspects_added_while_others_run_are_tried_once_each(suspects, more, poison, runs):
    quarantine, worker = Quarantine(), Worker({poison}, 8, tells=True)
    quarantine.suspect(suspects)
    for _ in range(runs):
        worker.run(quarantine)
    quarantine.next_group()
    quarantine.suspect(more)

    waiting = [i for group in (*quarantine.groups, quarantine.running) for i in group]
    assert len(waiting) == len(set(waiting))
    assert not set(waiting) & set(quarantine.poisonous)

    for _ in range(500):
        if quarantine.pending:
            worker.run(quarantine)
    assert not quarantine.pending
    assert worker.failed == {poison} & (suspects | more)
    assert worker.staged == (suspects | more) - {poison}


def test_one_solo_death_is_bad_luck_and_the_sample_lives():
    quarantine = Quarantine()
    quarantine.suspect([7])
    quarantine.next_group()
    quarantine.died((), (7,), "host went away")

    assert quarantine.next_group() == (7,)
    quarantine.survived([7])

    assert not quarantine.pending
    assert not quarantine.poisonous


def test_poisonous_sample_carries_the_last_words_and_stays_held_until_it_is_staged():
    quarantine = Quarantine()
    quarantine.suspect([7])
    for words in ("first", "CUDA error 700"):
        quarantine.next_group()
        quarantine.died((), (), words)

    assert quarantine.poisonous == {7: "CUDA error 700"}
    assert quarantine.indices == {7}
    assert quarantine.next_group() == ()
    quarantine.failed(7)
    assert not quarantine.pending


def test_survivors_that_were_not_staged_run_again():
    quarantine = Quarantine()
    quarantine.suspect([1, 2, 3])
    quarantine.next_group()

    quarantine.survived([2])

    assert quarantine.next_group() == (1, 3)
