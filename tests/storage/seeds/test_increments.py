"""A seed that grows: what joins it, what waits, what is refused; Parquet and converted alike."""

import os
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedcorn.core.errors import SeedError
from seedcorn.core.recipe import SourceSpec, StoreSpec
from seedcorn.storage.seeds.increments import open_source
from seedcorn.storage.seeds.seeds import Catalogue, SeedSet
from seedcorn.storage.stores.local import LocalStore

SPEC = StoreSpec()


class Seed:
    """A folder of files in one format, and a corpus store beside it."""

    def __init__(self, folder: Path, ending: str) -> None:
        self.base, self.ending = folder, ending
        self.store = LocalStore(folder / "corpus")
        (folder / "docs").mkdir()

    def write(self, name: str, *texts: str) -> Path:
        path = self.base / "docs" / f"{name}.{self.ending}"
        if self.ending == "parquet":
            pq.write_table(pa.table({"text": list(texts)}), path)
        else:
            path.write_text("\n".join(texts))
        os.utime(path, (1000, 1000))
        return path

    def open(self, held=(), settled=None, grows=True, path="docs") -> list[Catalogue]:
        """As the log would give them back."""
        spec = SourceSpec(path=path, name="docs", split="line", grows=grows)
        found = open_source(spec, str(self.base), (self.store, SPEC), held, settled)
        return [Catalogue.from_dict(one.to_dict()) for one in found]

    def texts(self, catalogues) -> list[str | None]:
        seeds = SeedSet(catalogues, self.store, SPEC, {})
        return [parent.text for parent in seeds.read(range(seeds.rows))]


@pytest.fixture(params=["parquet", "txt"])
def seed(request, tmp_path):
    made = Seed(tmp_path, request.param)
    made.write("m", "one", "two")
    return made


def test_new_files_become_increments_whatever_their_names(seed):
    first = seed.open()
    seed.write("a", "three")
    second = seed.open(first)
    seed.write("z", "four", "five")
    third = seed.open(second)

    assert [c.source for c in third] == ["docs", "docs+1", "docs+2"]
    assert seed.texts(third) == ["one", "two", "three", "four", "five"]
    assert third[:2] == second
    assert second[:1] == first
    assert seed.open(third) == third


def test_several_new_files_are_one_increment(seed):
    first = seed.open()
    seed.write("b", "four")
    seed.write("a", "three")
    assert [(c.source, c.rows) for c in seed.open(first)] == [("docs", 2), ("docs+1", 2)]


def test_increment_names_its_rows_after_itself(seed):
    first = seed.open()
    seed.write("a", "three")
    parents = SeedSet(seed.open(first), seed.store, SPEC, {}).read([1, 2])
    assert [parent.id for parent in parents] == ["docs:1", "docs+1:0"]


@pytest.mark.parametrize("times", [1, 2])
def test_file_that_changed_its_size_is_refused_by_name(seed, times):
    held = seed.open()
    if times == 2:
        seed.write("a", "three")
        held = seed.open(held)
    path = seed.write(
        "m" if times == 1 else "a", *["other", "and", "much", "longer", "text", "here"]
    )
    with pytest.raises(SeedError, match=rf"{path.name} has \d+ bytes, not \d+.*new files only"):
        seed.open(held)


def test_file_that_changed_at_the_same_size_is_refused(tmp_path):
    seed = Seed(tmp_path, "txt")
    seed.write("m", "one", "two")
    held = seed.open()
    path = seed.write("m", "eno", "owt")
    os.utime(path, (2000, 2000))
    with pytest.raises(SeedError, match="a file of docs is not what the corpus was grown from"):
        seed.open(held)


def test_inbox_that_is_cleared_leaves_what_was_read_of_it(seed):
    first = seed.open()
    seed.write("a", "three")
    second = seed.open(first)
    for path in (seed.base / "docs").iterdir():
        path.unlink()

    assert seed.open(second) == second
    assert seed.texts(second) == ["one", "two", "three"]
    seed.write("b", "four")
    third = seed.open(second)
    assert [(c.source, c.rows) for c in third] == [("docs", 2), ("docs+1", 1), ("docs+2", 1)]
    shutil.rmtree(seed.base / "docs")
    (seed.base / "docs").mkdir()
    assert seed.texts(seed.open(third, grows=False)) == ["one", "two", "three", "four"]


def test_part_of_an_increment_that_is_left_in_the_inbox_is_not_new(seed):
    seed.write("b", "three")
    held = seed.open()
    (seed.base / "docs" / f"m.{seed.ending}").unlink()
    assert seed.open(held) == held


@pytest.mark.parametrize("seed", ["txt"], indirect=True)
def test_part_of_an_increment_that_is_left_and_changed_is_refused(seed):
    seed.write("b", "three")
    held = seed.open()
    (seed.base / "docs" / "m.txt").unlink()
    seed.write("b", "eerht")
    with pytest.raises(SeedError, match="a file of docs is not what the corpus was grown from"):
        seed.open(held)


def test_name_that_is_used_again_for_other_text_is_refused(seed):
    held = seed.open()
    seed.write("m", "a file of another length under a name that was used")
    with pytest.raises(SeedError, match=r"has \d+ bytes, not \d+.*under new names"):
        seed.open(held)


def test_inbox_without_a_file_gives_no_increment_until_it_has_one(seed):
    (seed.base / "docs" / f"m.{seed.ending}").unlink()
    assert seed.open() == []
    assert seed.open(path=f"docs/*.{seed.ending}") == []
    with pytest.raises(SeedError, match="no such file"):
        seed.open(path="dcos")
    seed.write("a", "three")
    assert [(c.source, c.rows) for c in seed.open()] == [("docs", 1)]


def test_file_that_went_without_a_copy_is_refused_by_name(tmp_path):
    seed = Seed(tmp_path, "parquet")
    seed.write("m", "one", "two")
    held = seed.open(grows=False)
    seed.write("z", "more")
    (seed.base / "docs" / "m.parquet").unlink()
    with pytest.raises(SeedError, match=r"m\.parquet is gone.*part of docs"):
        seed.open(held)


def test_copy_is_made_of_what_was_logged_before_there_were_copies(tmp_path):
    seed = Seed(tmp_path, "parquet")
    seed.write("m", "one", "two")
    held = seed.open(grows=False)
    again = seed.open(held)
    (seed.base / "docs" / "m.parquet").unlink()
    assert seed.open(held) == again
    assert again[0].fingerprint == held[0].fingerprint
    assert seed.texts(again) == ["one", "two"]


def test_copy_that_was_cut_short_is_made_again(tmp_path):
    seed = Seed(tmp_path, "parquet")
    seed.write("m", "one", "two")
    [held] = seed.open()
    folder = held.files[0].path.rpartition("/")[0]
    seed.store.delete(f"{folder}/manifest.json")
    seed.store.put(held.files[0].path, b"half")
    assert seed.open() == [held]
    assert seed.texts([held]) == ["one", "two"]


def test_source_that_does_not_grow_keeps_what_it_has_and_refuses_more(seed):
    first = seed.open()
    seed.write("a", "three")
    grown = seed.open(first)
    assert seed.open(grown, grows=False) == grown
    seed.write("z", "four")
    with pytest.raises(SeedError, match=rf"z\.{seed.ending} appeared.*grows: true"):
        seed.open(grown, grows=False)
    # Where it never grew, whoever compares fingerprints refuses it.
    [whole] = seed.open(first, grows=False)
    assert whole.fingerprint != first[0].fingerprint


def test_file_that_changed_just_now_waits_for_the_next_night(seed):
    first = seed.open()
    fresh, older = seed.write("a", "three"), seed.write("z", "four")
    os.utime(fresh, (5000, 5000))
    os.utime(older, (3000, 3000))

    assert seed.texts(seed.open(first, settled=2999.0)) == ["one", "two"]
    early = seed.open(first, settled=4000.0)
    assert seed.texts(early) == ["one", "two", "four"]
    assert seed.texts(seed.open(early, settled=5000.0)) == ["one", "two", "four", "three"]
    assert seed.texts(seed.open(settled=0.0)) == ["three", "one", "two", "four"]


def test_seed_that_was_copied_elsewhere_is_the_same_seed(seed):
    first = seed.open()
    seed.write("a", "three")
    grown = seed.open(first)
    shutil.copytree(seed.base / "docs", seed.base / "moved")
    shutil.rmtree(seed.base / "docs")
    moved = seed.open(grown, path="moved")

    assert [c.fingerprint for c in moved] == [c.fingerprint for c in grown]
    assert seed.texts(moved) == ["one", "two", "three"]


def test_glob_and_prefix_grow_alike(seed):
    first = seed.open(path=f"docs/*.{seed.ending}")
    seed.write("a", "three")
    assert seed.texts(seed.open(first, path=f"docs/*.{seed.ending}")) == ["one", "two", "three"]
