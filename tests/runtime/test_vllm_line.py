"""The whole line with vLLM on the CPU: one run, its engine killed in the middle, read back plainly."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from seedcorn.config import LoadedRecipe, load_recipe, recipe_from_dict
from seedcorn.runtime.driver.grow import Grown, grow
from seedcorn.runtime.driver.snapshot import Snapshot
from seedcorn.runtime.hosting import open_cluster
from seedcorn.storage.stores.local import LocalStore
from seedcorn.storage.verify.verification import verify
from tests.runtime.processes import actors, descendants, kill

pytestmark = [pytest.mark.vllm, pytest.mark.ray, pytest.mark.timeout(600)]
REPOSITORY = Path(__file__).parents[2]
DRY_RUN = str(REPOSITORY / "pipelines" / "dry_run.yaml")
MODEL = str(REPOSITORY / ".cache" / "models" / "SmolLM2-135M-Instruct")
SAMPLES, TOKENS = 48, 40


@dataclass
class Run:
    """A finished run, and the engine processes that were killed under it."""

    corpus: Path
    loaded: LoadedRecipe
    grown: Grown | None = None
    killed: list[int] = field(default_factory=list)
    restarts: int = 0

    def watch(self, snapshot: Snapshot) -> None:
        """Kill the engine's process once, as soon as work is staged and more is in flight."""
        self.restarts = max(self.restarts, snapshot.restarts)
        if snapshot.generated and snapshot.in_flight and not self.killed:
            self.killed = engine_cores()
            for pid in self.killed:
                kill(pid)

    def rows(self, role: str) -> pa.Table:
        """All samples of the corpus' data or dropped shards."""
        return ds.dataset(self.corpus / role, format="parquet").to_table()


def engine_cores() -> list[int]:
    """Pids of vLLM engine processes below this process' engine actors."""
    found = []
    for pid in (pid for actor in actors("EngineActor") for pid in descendants(actor)):
        try:
            title = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if title.startswith(b"VLLM::EngineCore"):
            found.append(pid)
    return found


@pytest.fixture(scope="module")
def run(ray_cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The dry-run recipe, smaller; engines are slow to start, so that all tests share this run."""
    corpus = tmp_path_factory.mktemp("vllm") / "corpus"
    overrides = [
        *(f"corpus={corpus}", "generations=1", f"samples={SAMPLES}", f"engine.model={MODEL}"),
        *("units.unit=4", "units.batch=2", "units.ahead=2", "engine.vllm.max_num_seqs=6"),
        *(f"engine.sampling.max_tokens={TOKENS}", "run.stage_interval_s=1", "engine.threads=1"),
        "checks=[{finish_reason: {allow: [stop, length]}}, {length: {min_words: 3}}]",
    ]
    made = Run(corpus, load_recipe(DRY_RUN, overrides))
    made.grown = grow(made.loaded, made.watch, open_cluster)
    return made


def test_vllm_run_survives_the_death_of_its_engine_and_verifies(run: Run) -> None:
    assert len(run.killed) == 1
    assert run.restarts >= 1
    assert run.grown is not None
    assert run.grown.complete
    report = verify(LocalStore(run.corpus), recipe_from_dict)
    assert report.ok, report.broken


def test_vllm_run_gives_every_planned_sample_exactly_one_outcome(run: Run) -> None:
    tables = [run.rows(role) for role in ("data", "dropped") if (run.corpus / role).exists()]
    indices = [index for table in tables for index in table["index"].to_pylist()]
    assert sorted(indices) == list(range(SAMPLES))
    assert run.grown is not None
    counts = run.grown.rows[0].counts
    assert sum(counts.values()) == SAMPLES
    assert counts.get("failed", 0) == 0
    assert counts["accepted"] > SAMPLES // 2


def test_vllm_rows_carry_their_whole_lineage(run: Run) -> None:
    rows = run.rows("data").to_pylist()
    assert (
        len({row["sample_id"] for row in rows}) == len({row["seed"] for row in rows}) == len(rows)
    )
    for row in rows:
        assert row["text"].strip()
        assert row["recipe"] == run.loaded.recipe.fingerprint
        assert row["model"] == MODEL
        assert re.fullmatch("[0-9a-f]{16}", row["model_revision"])
        assert re.fullmatch("[0-9a-f]{16}", row["chat_template"])
        assert re.fullmatch("[0-9a-f]{16,}", row["template_hash"])
        assert row["engine"].startswith("vllm")
        assert row["parents"]
        assert row["prompt_tokens"] > 10
        assert 0 < row["completion_tokens"] <= TOKENS
        assert row["finish_reason"] in ("stop", "length")
        assert row["checks"] == ["finish_reason", "length"]
    sampling = json.loads(rows[0]["sampling"])
    assert (sampling["temperature"], sampling["top_p"]) == (0.8, 0.95)
    assert sampling["max_tokens"] == TOKENS
    assert sampling["top_k"] is not None, "the model's own default, resolved"


def test_vllm_data_folder_loads_as_a_dataset_as_it_is(run: Run, tmp_path: Path) -> None:
    from datasets import load_dataset

    rows = run.rows("data")
    shards = [str(path) for path in (run.corpus / "data").rglob("*.parquet")]
    loaded = load_dataset("parquet", data_files=shards, split="train", cache_dir=str(tmp_path))
    assert sorted(loaded["text"]) == sorted(rows["text"].to_pylist())
    assert set(loaded.column_names) == set(rows.column_names)
