"""`seedcorn gc`: deletes what is provably dead, names it, and leaves everything else."""

from seedcorn.cli import main
from seedcorn.core.log.layout import DATA, STAGING


def everything(corpus):
    return {str(p.relative_to(corpus)) for p in corpus.rglob("*") if p.is_file()}


def test_gc_deletes_unnamed_shards_and_committed_segments_only(corpus, capsys):
    before = everything(corpus)
    dead = {
        f"{DATA}gen-0001/part-00000000-00000002-0123456789abcdef.parquet",
        f"{STAGING}gen-0002/unit-00000001-0123456789abcdef.parquet",
    }
    alive = {f"{STAGING}gen-0003/unit-00000001-0123456789abcdef.parquet", f"{DATA}notes.txt"}
    for key in dead | alive:
        (corpus / key).parent.mkdir(parents=True, exist_ok=True)
        (corpus / key).write_bytes(b"x")
    assert main(["gc", str(corpus)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert {line.removeprefix("deleted ") for line in printed[:-1]} == dead
    assert printed[-1] == f"2 objects deleted from {corpus}"
    assert everything(corpus) == before | alive


def test_gc_twice_has_nothing_left_to_do(corpus, capsys):
    main(["gc", str(corpus)])
    capsys.readouterr()
    assert main(["gc", str(corpus)]) == 0
    assert capsys.readouterr().out == f"0 objects deleted from {corpus}\n"


def checkpoints(corpus):
    """Folders of checkpoints that hold something."""
    return {p.parent.name for p in (corpus / "checkpoints").rglob("*") if p.is_file()}


def test_gc_keeps_the_two_newest_checkpoints(corpus, capsys):
    kept = checkpoints(corpus)
    old = corpus / "checkpoints" / "0000000001"
    old.mkdir()
    (old / "manifest.json").write_text("{}")
    (old / "index-0.npz").write_bytes(b"x")
    assert main(["gc", str(corpus)]) == 0
    assert checkpoints(corpus) == kept
    assert len(kept) == 2


def test_gc_reports_and_keeps_what_it_cannot_prove_dead(corpus, capsys):
    for key in ("seeds/0123456789abcdef/part-00000.parquet", "probe-0123456789abcdef/race/0"):
        (corpus / key).parent.mkdir(parents=True)
        (corpus / key).write_bytes(b"x")
    before = everything(corpus)
    assert main(["gc", str(corpus)]) == 0
    text = capsys.readouterr().out
    assert "left alone: 1 object under seeds/0123456789abcdef/" in text
    assert "left alone: 1 object under probe-0123456789abcdef/" in text
    assert everything(corpus) == before


def test_gc_as_a_dry_run_says_what_it_would_delete_and_deletes_nothing(corpus, capsys):
    dead = f"{DATA}gen-0001/part-00000000-00000002-0123456789abcdef.parquet"
    (corpus / dead).write_bytes(b"x")
    (corpus / ".tmp").mkdir(exist_ok=True)
    (corpus / ".tmp" / "host-1-2-3").write_bytes(b"half")
    before = everything(corpus)
    assert main(["gc", str(corpus), "--dry-run"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"would delete {dead}"
    assert printed[1] == f"1 object would be deleted from {corpus}"
    assert printed[2].startswith("left alone: 1 object under .tmp/")
    assert everything(corpus) == before
