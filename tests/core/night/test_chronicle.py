"""Who grew what in which night, from the log alone."""

from seedcorn.core.log.entries import (
    BatchCommitted,
    Decision,
    Entry,
    GenerationFinished,
    GenerationStarted,
    Measurement,
    SeedAdded,
    WriterOpened,
)
from seedcorn.core.night.chronicle import AddedRows, Round, Skipped, Writing, chronicle, until_next
from seedcorn.core.night.night import SKIP_NIGHT


def entries(*steps):
    """(writer, body) in order; the n-th entry was written n seconds after the beginning."""
    return [Entry(n, writer, "", float(n), body) for n, (writer, body) in enumerate(steps)]


def started(number, night):
    return GenerationStarted(number, {"samples": 96, "nightly": {"key": night}}, "f", "s", {})


def batch(generation, number):
    return BatchCommitted(
        generation, number, number, number, number, number, 0, {}, {}, {}, {}, [], [], None, 1.0, 1
    )


LOG = entries(
    ("a", WriterOpened("hosta", 1, "v")),
    ("a", SeedAdded("seed", "docs", {}, 9, 0, "f")),
    ("a", started(1, "2026-11-01")),
    ("a", batch(1, 0)),
    ("a", batch(1, 1)),
    ("x", WriterOpened("audits", 7, "v")),
    ("x", Measurement("audit", {"generation": 1}, {})),
    ("b", WriterOpened("hostb", 2, "v")),
    ("b", batch(1, 2)),
    ("b", GenerationFinished(1, "exhausted")),
    ("b", Decision(2, 0, SKIP_NIGHT, {"night": "2026-11-02", "why": "target"}, "enough")),
    ("c", WriterOpened("hostc", 3, "v")),
    ("c", SeedAdded("seed", "docs+1", {}, 5, 30, "f")),
    ("c", started(2, "2026-11-03")),
    ("c", batch(2, 0)),
    ("d", WriterOpened("hostd", 4, "v")),
    ("d", Decision(3, 0, SKIP_NIGHT, {"night": "2026-11-04", "why": "deadline"}, "late")),
)


def test_chronicle_has_a_round_per_generation_and_one_for_what_follows():
    first, second, coming = chronicle(LOG)
    assert first == Round(
        1, "2026-11-01", 96, 2.0, 9.0,
        [Writing("hosta", 1, 0, 0.0), Writing("hostb", 2, 2, 7.0)],
        [AddedRows("seed", "docs", 9)],
    )  # fmt: skip
    assert second == Round(
        2, "2026-11-03", 96, 13.0, None,
        [Writing("hostc", 3, 0, 11.0)],
        [AddedRows("seed", "docs+1", 5)],
        [Skipped("2026-11-02", "target", "enough")],
    )  # fmt: skip
    assert coming == Round(skipped=[Skipped("2026-11-04", "deadline", "late")])


def test_chronicle_of_recipes_without_nights_has_none():
    [first, _] = chronicle(entries(("a", GenerationStarted(1, {}, "f", "s", {}))))
    assert (first.night, first.samples) == ("", 0)


def test_until_next_ends_before_the_generation_after():
    assert [e.sequence for e in until_next(LOG, 1)] == list(range(13))
    assert list(until_next(LOG, 2)) == LOG
