"""Mistakes that leave every count, hash and chain intact are found from the texts, and named."""

import random
from dataclasses import replace

import pytest

from seedcorn.config import recipe_from_dict
from seedcorn.core.log.entries import GenerationStarted
from seedcorn.core.recipe import DedupSpec, SourceSpec
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.sketches import read_delta, write_delta
from seedcorn.storage.verify.verification import verify
from tests.corpora.damaging import batches, copy_of, reforge, reshard
from tests.storage.sound_corpus import NUMBERS, RECIPE, grown

SEEDS = range(4)


def deep(store):
    return verify(store, recipe_from_dict, deep=True)


def found(store):
    """What `--deep` says is wrong."""
    report = deep(store)
    assert report.broken is not None, report
    return report.broken.promise, report.broken.text


def some_batch(store, chance, role, wanted=lambda row: True):
    """(sequence, body, a row's place) of a random batch that has such a row in its first shard."""
    from seedcorn.storage.samples.samples import read_shard

    places = [
        (sequence, body, number)
        for sequence, body in batches(store)
        if getattr(body, role)
        for number, row in enumerate(read_shard(store, getattr(body, role)[0]).to_pylist())
        if wanted(row)
    ]
    return chance.choice(places)


def edited(store, chance, role, wanted, change):
    """Change one random row and chain the log anew; returns the sample's id."""
    sequence, _, number = some_batch(store, chance, role, wanted)
    names = []

    def alter(rows):
        names.append(rows[number]["sample_id"])
        rows[number] |= change(rows[number], rows)
        return rows

    reshard(store, sequence, role, alter)
    return names[0]


def flipped(data, chance):
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def test_sound_corpus_is_proved_deeply(store):
    report = deep(store)
    assert report.ok, report.broken
    told = {finding.promise: finding.text for finding in report.proved}
    assert "181 verdicts replayed" in told["deep"] or "verdicts replayed" in told["deep"]
    assert told["sketches"] == "those of every batch recomputed"
    assert report.digest == verify(store, recipe_from_dict).digest


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("column", ["keys", "signature"])
def test_altered_fingerprint_is_found_and_named(store, column, seed):
    chance = random.Random(seed)
    name = edited(
        store,
        chance,
        "data",
        lambda row: True,
        lambda row, rows: {column: flipped(row[column], chance)},
    )
    promise, text = found(store)
    assert promise == "deep"
    assert f"sample {name}" in text
    assert f"its {column} is not that of its text" in text


@pytest.mark.parametrize("column", ["text_hash", "words"])
def test_altered_hash_or_count_of_a_text_is_found(store, column):
    edited(
        store,
        random.Random(7),
        "data",
        lambda row: True,
        lambda row, rows: {column: row[column] + 1},
    )
    assert f"its {column} is not that of its text" in found(store)[1]


@pytest.mark.parametrize("seed", SEEDS)
def test_text_changed_together_with_its_shard_and_log_is_found(store, seed):
    chance = random.Random(seed)
    name = edited(
        store,
        chance,
        "data",
        lambda row: True,
        lambda row, rows: {"text": row["text"].replace(row["text"].split()[5], "tampered")},
    )
    promise, text = found(store)
    assert (promise, f"sample {name}" in text) == ("deep", True)


@pytest.mark.parametrize("seed", SEEDS)
def test_wrong_witness_is_found_and_the_right_one_named(store, seed):
    chance = random.Random(seed)
    others = [row for _, body in batches(store)[:1] for row in rows_of_first(store, body)]
    wrong = chance.choice(others)["sample_id"]
    name = edited(
        store,
        chance,
        "dropped",
        lambda row: row["reason"].endswith(("same", "earlier")) and row["duplicate_of"] != wrong,
        lambda row, rows: {"duplicate_of": wrong},
    )
    promise, text = found(store)
    # A witness that stands later in the plan is none at all, which the family finds first.
    assert promise in ("deep", "lineage")
    assert name in text
    assert wrong in text


def rows_of_first(store, body):
    from seedcorn.storage.samples.samples import read_shard

    return read_shard(store, body.data[0], ["sample_id"]).to_pylist()


@pytest.mark.parametrize(
    "change",
    [
        lambda row, rows: {"similarity": row["similarity"] - 0.01},
        lambda row, rows: {"text": row["text"] + " and one more word, or two, or seven of them"},
    ],
)
def test_wrong_similarity_or_text_of_a_near_duplicate_is_found(store, change):
    wanted = lambda row: row["reason"].startswith("near:")  # noqa: E731
    name = edited(store, random.Random(3), "dropped", wanted, change)
    promise, text = found(store)
    assert (promise, name in text) == ("deep", True)


@pytest.mark.parametrize("seed", SEEDS)
def test_flipped_verdict_is_found_though_all_counts_agree(store, seed):
    """A duplicate that is called a refusal: entry, reasons and strata say the same."""
    chance = random.Random(seed)
    sequence, _, number = some_batch(
        store, chance, "dropped", lambda row: row["outcome"] == "duplicate"
    )
    changed = []

    def alter(rows):
        changed.append(dict(rows[number]))
        outcome = {"outcome": "rejected", "reason": "refusal", "checks": []}
        rows[number] |= outcome | {"duplicate_of": None, "similarity": None}
        return rows

    reshard(store, sequence, "dropped", alter)
    row, body = changed[0], dict(batches(store))[sequence]
    was, now = f"duplicate:{row['reason']}", "rejected:refusal"
    reasons = body.reasons | {now: body.reasons.get(now, 0) + 1, was: body.reasons[was] - 1}
    stratum = body.strata[row["stratum"]]
    moved = stratum | {
        "duplicate": stratum["duplicate"] - 1,
        "rejected": stratum.get("rejected", 0) + 1,
    }
    counts = body.counts | {
        "duplicate": body.counts["duplicate"] - 1,
        "rejected": body.counts["rejected"] + 1,
    }
    strata = body.strata | {row["stratum"]: moved}
    entry = replace(body, counts=counts, reasons=reasons, strata=strata)
    reforge(store, {sequence: entry})
    promise, text = found(store)
    assert (promise, row["sample_id"] in text) == ("deep", True)
    assert "passed" in text


@pytest.mark.parametrize("column", ["accepted", "hash"])
def test_tampered_sketch_of_a_batch_in_the_middle_is_found(store, column):
    sequence, body = batches(store)[1]
    delta = read_delta(store, body.sketch)
    values = getattr(delta, column).copy()
    values[0] += 1
    ref = write_delta(store, replace(delta, **{column: values}), delta.rate)
    reforge(store, {sequence: replace(body, sketch=ref)})
    promise, text = found(store)
    assert promise in ("sketches", "ledger")
    assert f"log entry {sequence}" in text or promise == "ledger"


def test_tampered_count_of_markers_is_found(store):
    sequence, body = batches(store)[-1]
    reforge(store, {sequence: replace(body, marked={"think": 1})})
    promise, text = found(store)
    assert (promise, f"log entry {sequence}: its markers of traces" in text) == ("deep", True)


@pytest.mark.parametrize("name", ["shingles", "seen", "documents", "half"])
def test_tampered_containment_is_found(store, name):
    sequence, body = batches(store)[-1]
    told = body.containment | {name: body.containment[name] + 1}
    reforge(store, {sequence: replace(body, containment=told)})
    promise, text = found(store)
    assert (promise, f"log entry {sequence}: its containment" in text) == ("deep", True)


@pytest.mark.parametrize("with_seed", [True, False])
def test_corpus_with_reference_and_evaluation_sets_is_replayed(tmp_path, with_seed):
    from seedcorn.core.recipe import SimulatedSpec
    from seedcorn.core.simulation.simulation import simulate

    for name in ("reference", "evaluation"):
        texts = [simulate(name, 0, i, SimulatedSpec(words=50), "").text for i in range(8)]
        (tmp_path / f"{name}.txt").write_text("\n".join(texts), encoding="utf-8")
    dedup = DedupSpec(
        seed=with_seed,
        against=[SourceSpec(path="reference.txt", name="ref", split="line")],
        evaluations=[SourceSpec(path="evaluation.txt", name="eval", split="line")],
    )
    report = deep(grown(tmp_path, replace(RECIPE, dedup=dedup)))
    assert report.ok, report.broken


def test_two_copies_do_not_disturb_each_other(sound):
    one = copy_of(sound, f"deep-{next(NUMBERS)}")
    assert deep(one).digest == deep(sound).digest


def ruled(store, rules, name):
    """A copy whose generations were started under these rules as well."""
    other = copy_of(store, name)
    started = [entry for entry in read_log(store) if isinstance(entry.body, GenerationStarted)]
    reforge(
        other,
        {entry.sequence: replace(entry.body, rules=entry.body.rules | rules) for entry in started},
    )
    return other


def test_rows_of_a_check_that_had_another_meaning_are_trusted_and_counted_the_rest_is_proved(sound):
    store = ruled(sound, {"checks.refusal": 9}, "trusted-check")

    report = deep(store)

    rows = sum(sum(body.counts.values()) for _, body in batches(store))
    assert report.ok, report
    assert [w for w in report.warnings if "trust" in w] == [
        f"{rows} rows were taken on trust where rules decide that this seedcorn does not have "
        "(checks.refusal 9): verify them with a newer one"
    ]
    assert any("verdicts replayed" in proved.text for proved in report.proved)


@pytest.mark.parametrize("number", [1, 2])
def test_rejection_is_replayed_under_the_number_that_its_check_had(store, number):
    told = {"text": "I am afraid the winter will be long, wrote the farmer."}
    edited(
        store,
        random.Random(1),
        "dropped",
        lambda row: row["reason"] == "refusal",
        lambda row, rows: told,
    )
    report = deep(ruled(store, {"checks.refusal": number}, f"refusal-under-{number}"))
    assert report.ok == (number == 1)


def test_rejection_that_today_makes_no_sense_is_a_mistake_unless_the_check_had_another_meaning(
    store,
):
    def refused(row):
        return row["reason"] == "refusal"

    edited(store, random.Random(1), "dropped", refused, lambda row, rows: {"text": "Plain words."})

    assert found(store)[0] == "deep"
    assert deep(ruled(store, {"checks.refusal": 9}, "rejected-under-9")).ok


@pytest.mark.parametrize("deeply", [False, True])
def test_corpus_under_an_unknown_text_rule_is_proved_but_for_what_texts_decide(sound, deeply):
    store = ruled(sound, {"text": 9}, f"trusted-text-{deeply}")

    report = verify(store, recipe_from_dict, deep=deeply)

    assert report.ok, report
    assert "(text 9)" in report.warnings[-1]
    proved = {one.promise for one in report.proved}
    assert proved >= {"log", "P1", "P2", "P3", "lineage", "ledger", "withdrawn"}
    assert proved & {"P8", "sketches", "deep"} == set()
