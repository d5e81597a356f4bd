"""`seedcorn audit`: draw, judge, log, and everything that must not end up in the log."""

import json
import shlex
import shutil
import sys

import pytest

from seedcorn.cli import main
from seedcorn.core.identity import sha256_hex
from seedcorn.core.intervals import clopper_pearson
from seedcorn.core.log.entries import Measurement, WriterOpened
from seedcorn.core.log.layout import LOG
from seedcorn.core.recipe import StoreSpec
from seedcorn.storage.log.log import read_log
from seedcorn.storage.log.writer import Heartbeat, this_process
from seedcorn.storage.stores.opening import open_store


@pytest.fixture
def drawn(corpus, tmp_path, capsys):
    """(corpus, path of a drawn audit of generation 1)."""
    path = tmp_path / "audit.jsonl"
    assert audit(corpus, "-n", "40", "-g", "1", "-o", path) == 0
    capsys.readouterr()
    return corpus, path


def audit(corpus, *words):
    return main(["audit", str(corpus), *map(str, words)])


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def answer(path, verdict):
    """Fill in `verdict(line)` everywhere."""
    lines = [line | {"verdict": verdict(line)} for line in lines_of(path)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def logged(corpus):
    entries = read_log(open_store(str(corpus), StoreSpec()))
    bodies = [entry.body for entry in entries]
    return [b for b in bodies if isinstance(b, Measurement) and b.name == "audit"]


def entries(corpus):
    return sum(1 for _ in open_store(str(corpus), StoreSpec()).list(LOG))


def test_audit_draws_a_line_per_document_to_be_filled_in(corpus, tmp_path, capsys):
    path = tmp_path / "audit.jsonl"
    before = entries(corpus)
    assert audit(corpus, "-n", "40", "-g", "1", "-o", path) == 0
    lines = lines_of(path)
    assert sum(line["fingerprints"] for line in lines) == 40
    assert len({line["id"] for line in lines}) == len(lines) > 5
    assert {line["generation"] for line in lines} == {1}
    assert {line["stratum"] for line in lines} == {"retell", "invent"}
    assert all((line["verdict"], line["note"]) == (None, "") and line["text"] for line in lines)
    assert entries(corpus) == before
    printed = capsys.readouterr().out
    assert (
        f"drew 40 unique fingerprints from generation 1, which first occur in {len(lines)}"
        in printed
    )
    assert f"seedcorn audit {corpus} --verdicts {path}" in printed


def test_audit_verdicts_are_logged_as_one_measurement(drawn, capsys):
    corpus, path = drawn
    wrong = lines_of(path)[1]["id"]
    answer(path, lambda line: line["id"] != wrong)
    assert audit(corpus, "--verdicts", path) == 0
    lost = next(line["fingerprints"] for line in lines_of(path) if line["id"] == wrong)
    [body] = logged(corpus)
    assert body.subject == {"generation": 1, "stratum": ""}
    values = body.values
    assert (values["drawn"], values["right"]) == (40, 40 - lost)
    assert values["documents"] == len(lines_of(path))
    assert values["estimate"] == (40 - lost) / 40
    assert values["low"] <= clopper_pearson(40 - lost, 40).low < values["estimate"]
    assert values["estimate"] < values["high"] <= 1
    assert (values["auditor"], values["sha256"]) == ("person", sha256_hex(path.read_bytes()))
    table = capsys.readouterr().out
    assert f"{(40 - lost) / 40:.3f}" in table
    assert main(["verify", str(corpus)]) == 0
    capsys.readouterr()
    assert main(["ledger", str(corpus), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["generations"]
    assert (first["precision"]["estimate"], second["precision"]) == ((40 - lost) / 40, None)


def test_audit_of_a_stratum_draws_and_logs_it_alone(corpus, tmp_path, capsys):
    path = tmp_path / "audit.jsonl"
    assert audit(corpus, "-g1", "--stratum", "invent", "-n", "9", "-o", path, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["generation"], summary["stratum"], summary["drawn"]) == (1, "invent", 9)
    assert {line["stratum"] for line in lines_of(path)} == {"invent"}
    answer(path, lambda line: True)
    assert audit(corpus, "--verdicts", path, "--json") == 0
    [body] = logged(corpus)
    assert body.subject == {"generation": 1, "stratum": "invent"}
    assert json.loads(capsys.readouterr().out) == {**body.subject, **body.values}


def test_audit_without_n_draws_400(corpus, tmp_path):
    assert audit(corpus, "-o", tmp_path / "audit.jsonl") == 0
    lines = lines_of(tmp_path / "audit.jsonl")
    assert sum(line["fingerprints"] for line in lines) == 400


def test_audit_unanswered_is_refused_and_partial_takes_the_leading_run(drawn, capsys):
    corpus, path = drawn
    answer(path, lambda line: True)
    lines = lines_of(path)
    lines[4]["verdict"] = None
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert audit(corpus, "--verdicts", path) == 2
    assert f"1 of {len(lines)} samples have no verdict, sample {lines[4]['id']}" in (
        capsys.readouterr().err
    )
    assert logged(corpus) == []
    assert audit(corpus, "--verdicts", path, "--partial") == 0
    [body] = logged(corpus)
    assert 4 <= body.values["drawn"] < 40
    assert body.values["documents"] == 4


def test_audit_checker_judges_every_document_and_logs_under_its_name(corpus, tmp_path):
    path = tmp_path / "checked.jsonl"
    program = tmp_path / "judge.py"
    program.write_text(
        "import json, sys\n"
        "line = json.loads(sys.stdin.read())\n"
        "assert line['draw']['generation'] == 1\n"
        "sys.exit(line['stratum'] == 'invent')\n"
    )
    command = f"{shlex.quote(sys.executable)} {shlex.quote(str(program))}"
    assert audit(corpus, "-g1", "-n", "12", "-o", path, "--checker", command) == 0
    [body] = logged(corpus)
    lines = lines_of(path)
    assert all(line["verdict"] is (line["stratum"] != "invent") for line in lines)
    assert body.values["right"] == sum(
        line["fingerprints"] for line in lines if line["stratum"] != "invent"
    )
    assert 0 < body.values["right"] < body.values["drawn"] == 12
    assert body.values["auditor"] == command


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import sys; sys.exit(2)", "exit code 2"),
        ("raise ValueError('no such unit')", "ValueError: no such unit"),
        ("import os; os.kill(os.getpid(), 9)", "exit code -9"),
    ],
)
def test_audit_checker_that_gives_no_verdict_logs_nothing(
    corpus, tmp_path, program, message, capsys
):
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}"
    path = tmp_path / "checked.jsonl"
    assert audit(corpus, "-n", "3", "-o", path, "--checker", command) == 2
    assert message in capsys.readouterr().err
    assert logged(corpus) == []
    assert not path.exists()


@pytest.mark.parametrize("command", ["/no/such/program", "''", "'", " "])
def test_audit_checker_that_is_no_program_is_refused(corpus, tmp_path, command, capsys):
    path = tmp_path / "checked.jsonl"
    assert audit(corpus, "-n", "3", "-o", path, "--checker", command) == 2
    assert "checker" in capsys.readouterr().err
    assert logged(corpus) == []


def test_audit_of_another_corpus_is_refused_by_name(drawn, grown, tmp_path, capsys):
    _, path = drawn
    answer(path, lambda line: True)
    other = tmp_path / "other"
    assert main(["withdraw", str(drawn[0]), "--where", "stratum=invent", "--reason", "x"]) == 0
    late = tmp_path / "late.jsonl"
    assert audit(drawn[0], "-n", "4", "-o", late) == 0
    answer(late, lambda line: True)
    capsys.readouterr()
    shutil.copytree(grown[1], other)
    assert audit(other, "--verdicts", late) == 2
    assert f"{late} was drawn from another corpus" in capsys.readouterr().err
    assert logged(other) == []


def test_audit_of_samples_withdrawn_since_is_refused_by_name(drawn, capsys):
    corpus, path = drawn
    answer(path, lambda line: True)
    gone = lines_of(path)[2]["id"]
    assert main(["withdraw", str(corpus), "--where", f"id={gone}", "--reason", "licence"]) == 0
    capsys.readouterr()
    assert audit(corpus, "--verdicts", path) == 2
    assert f"{path} is stale: 1 of its samples were withdrawn since, such as {gone}" in (
        capsys.readouterr().err
    )
    assert logged(corpus) == []


def test_audit_verdict_of_another_kind_names_the_line(drawn, capsys):
    corpus, path = drawn
    answer(path, lambda line: "maybe")
    assert audit(corpus, "--verdicts", path) == 2
    assert f"{path}, line 1: " in capsys.readouterr().err


def test_audit_never_writes_over_a_file_that_may_hold_verdicts(drawn, capsys):
    corpus, path = drawn
    before = path.read_bytes()
    assert audit(corpus, "-o", path) == 2
    assert "exists and may hold verdicts" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_audit_beside_a_live_writer_logs_nothing(drawn, capsys):
    corpus, path = drawn
    answer(path, lambda line: True)
    store = open_store(str(corpus), StoreSpec())
    with Heartbeat(store, this_process("f" * 16, store.uri, 0.0), 0.05):
        assert audit(corpus, "--verdicts", path) == 75
    assert "is being grown by" in capsys.readouterr().err
    assert logged(corpus) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "give -o FILE"),
        (["-o", "x", "--partial"], "--partial goes with --verdicts"),
        (["--verdicts", "x", "-n", "3"], "leave out n"),
        (["--verdicts", "x", "--checker", "true"], "leave out checker"),
        (["--verdicts", "/no/such/file"], "cannot be read"),
        (["-o", "x", "-n", "0"], "0 is less than 1"),
        (["-o", "/no/such/folder/x", "-n", "1"], "cannot be written"),
        (["-o", "x", "-g", "9"], "no generation 9"),
    ],
)
def test_audit_asked_wrongly_says_what_to_do(corpus, words, message, capsys):
    assert audit(corpus, *words) == 2
    assert message in capsys.readouterr().err
    assert logged(corpus) == []


def test_audit_opens_the_log_as_a_writer(drawn):
    corpus, path = drawn
    answer(path, lambda line: True)
    assert audit(corpus, "--verdicts", path) == 0
    kinds = [entry.body for entry in read_log(open_store(str(corpus), StoreSpec()))][-2:]
    assert isinstance(kinds[0], WriterOpened)
    assert isinstance(kinds[1], Measurement)
