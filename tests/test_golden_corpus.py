"""A corpus grown at commit 4aa3d63 is read, proved, resumed and grown on as that commit would have."""

import json
import re
import shutil

import pytest

from tests.golden.contents import (
    CORPUS,
    EXPECTED,
    EXPORTS,
    GENERATIONS,
    copied,
    exported,
    grow_on,
    ledger_of,
    log_of,
    rows_of,
    verified,
)

GOLDEN = json.loads(EXPECTED.read_text(encoding="utf-8"))
STORED, GROWN = GOLDEN["stored"], GOLDEN["grown"]
STAGED = range(7 * 4, 15 * 4)
"""Plan indices of generation 3 that lie staged; those of unit 7 are committed as well."""


ANEW = re.compile(r"\$\.generations\.[23]\.companions\.")
"""Companions of generations that finished since: they are compared with all of history now. Those
of the others stand in the log, and stay."""


def differences(golden, found, where="$"):
    """Where `found` is not what it was. Keys that came later are none; a float has to agree to nine
    digits, because the last ones are the processor's."""
    if isinstance(golden, dict) and isinstance(found, dict):
        pairs = [(f"{where}.{key}", value, found.get(key)) for key, value in golden.items()]
    elif isinstance(golden, list) and isinstance(found, list) and len(golden) == len(found):
        pairs = [(f"{where}.{n}", *pair) for n, pair in enumerate(zip(golden, found, strict=True))]
    else:
        same = (
            golden == pytest.approx(found, rel=1e-9) if _numbers(golden, found) else golden == found
        )
        return [] if same else [f"{where}: {golden!r} became {found!r}"]
    return [line for place, *two in pairs for line in differences(*two, place)]


def _numbers(*values):
    return all(isinstance(value, float) for value in values)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The corpus as it was left, for tests that only read."""
    return copied(tmp_path_factory.mktemp("stored"))


@pytest.fixture(scope="module", params=[True, False], ids=["checkpoint", "log-alone"])
def grown(request, tmp_path_factory):
    """The corpus with its third generation finished and a fourth one grown."""
    corpus = copied(tmp_path_factory.mktemp("grown"), checkpoints=request.param)
    done = grow_on(corpus, f"generations={GENERATIONS}")
    assert (done.complete, done.generations) == (True, GENERATIONS)
    return corpus


def test_golden_corpus_holds_every_kind_of_entry_and_outcome_it_was_made_for():
    kinds = {entry["kind"] for entry in log_of(CORPUS)}
    assert kinds >= {"seed_added", "decision", "measurement", "withdrawn", "generation_finished"}
    actions = {entry["body"].get("action") for entry in log_of(CORPUS)}
    assert actions >= {"stop", "drop_stratum", "sketch_rate"}
    outcomes = {line.split()[1] for lines in rows_of(CORPUS).values() for line in lines}
    assert outcomes == {"accepted", "duplicate", "rejected", "failed"}


def test_stored_corpus_verified_breaks_no_promise_and_keeps_its_digest(stored):
    assert differences(STORED["verify"], verified(stored)) == []


def test_stored_corpus_verified_deeply_breaks_no_promise_and_keeps_its_digest(stored):
    assert differences(STORED["verify_deep"], verified(stored, "--deep")) == []


def test_stored_corpus_without_its_checkpoint_verified_deeply_breaks_no_promise(tmp_path):
    corpus = copied(tmp_path, checkpoints=False)
    assert differences(STORED["verify_deep"], verified(corpus, "--deep")) == []


def test_stored_corpus_has_the_ledger_it_had(stored):
    assert differences(STORED["ledger"], ledger_of(stored)) == []


@pytest.mark.parametrize("name", EXPORTS)
def test_stored_corpus_exports_the_same_rows_in_the_same_order(name, stored, tmp_path):
    assert exported(stored, tmp_path / "export", *EXPORTS[name]) == STORED["exports"][name]


def test_stored_corpus_grown_on_has_the_rows_it_would_have_had(grown):
    assert differences(GROWN["rows"], rows_of(grown)) == []


def test_stored_corpus_grown_on_has_the_ledger_it_would_have_had(grown):
    found = ledger_of(grown)
    assert [line for line in differences(GROWN["ledger"], found) if not ANEW.match(line)] == []
    editions = [(row["companions"] or {}).get("edition") for row in found["generations"]]
    assert editions == [None, None, 2, 2]


def test_stored_corpus_grown_on_verified_deeply_breaks_no_promise(grown):
    assert differences(GROWN["verify_deep"], verified(grown, "--deep")) == []


def test_stored_corpus_grown_on_generates_no_staged_sample_again(grown):
    notes = [line.split() for line in (grown.parent / "journal").read_text().splitlines()]
    asked = {int(note[2]) for note in notes if note[:2] == ["asked", "3"]}
    assert asked == set(range(STAGED.stop, 72))


@pytest.mark.parametrize("name", EXPORTS)
def test_stored_corpus_grown_on_exports_the_same_rows_in_the_same_order(name, grown, tmp_path):
    assert exported(grown, tmp_path / "export", *EXPORTS[name]) == GROWN["exports"][name]


def test_export_of_the_stored_corpus_takes_up_what_was_grown_since(stored, grown, tmp_path):
    target = tmp_path / "export"
    exported(stored, target)
    found = exported(grown, target)
    assert found[: len(STORED["exports"]["default"])] == STORED["exports"]["default"]
    assert sorted(found) == sorted(GROWN["exports"]["default"])


def test_stored_corpus_with_a_row_too_few_is_found_to_differ(stored, tmp_path):
    """The comparison itself sees what is gone."""
    damaged = tmp_path / "corpus"
    shutil.copytree(stored, damaged)
    (damaged / "log" / "0000000046.json").unlink()
    (damaged / "log" / "0000000045.json").unlink()
    assert differences(STORED["rows"], rows_of(damaged)) != []
