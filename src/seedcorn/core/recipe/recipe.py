"""The recipe: everything a run is told, as frozen dataclasses.

`config.py` fills these from YAML. Fields marked *operational* may change between runs of one
corpus (workers, URIs, intervals); every other field changes texts or verdicts and is part of the
recipe's fingerprint.
"""

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from typing import Any

from seedcorn.core.identity import canonical_json, digest
from seedcorn.core.recipe.engine import (
    EngineSpec,
)
from seedcorn.core.recipe.fields import operational
from seedcorn.core.recipe.nightly import NightlySpec

MAX_STRATA = 64
"""The ledger keeps one bit per stratum and shingle; 64 fit in a word."""


@dataclass(frozen=True)
class SourceSpec:
    """A set of documents: one file, a glob or a prefix, on any fsspec store.

    `path` is relative to the recipe's folder unless it has a scheme; `package:NAME` is a file
    shipped inside seedcorn. `name` appears in lineage and in reports.
    """

    path: str = field(metadata={"operational": True})
    """Where the documents lie now; what they are is in the seed's own fingerprint."""
    name: str = ""
    format: str = "auto"
    """auto | parquet | jsonl | text"""
    text: str = "text"
    """Column (Parquet) or key (JSONL) that holds the document."""
    id: str = ""
    """Column or key that holds a document id; empty: the row number names the document."""
    split: str = "file"
    """Plain text only: file | paragraph | line."""
    max_chars: int = 20_000
    """Longer documents become `rejected: seed_row`."""
    grows: bool = operational(False)
    """Whether files that appear later join the seed before the next generation; else they are
    refused. Files that are there already must stay as they are."""


@dataclass(frozen=True)
class ParentsSpec:
    """Where generation g > 1 finds its parents: weights over three pools (generation 1: seed).

    *Accumulate* is `seed: 1, previous: 1, earlier: 1`; *replace* is `seed: 0, previous: 1`.
    """

    seed: float = 1.0
    previous: float = 1.0
    earlier: float = 0.0
    order: str = "shuffled"
    """shuffled: uniform over rows; blocks: row groups in shuffled order, for seeds too large to
    read row by row; sequential."""


@dataclass(frozen=True)
class PromptSpec:
    """One branch of the recipe: a Jinja template times its axes. A stratum of the ledger."""

    name: str
    template: str
    system: str = ""
    weight: float = 1.0
    parents: int = 1
    """Documents drawn per prompt, as `parents` (list) and `parent` (the first) in the template."""
    axes: dict[str, list[str]] = field(default_factory=dict)
    continuation: bool = False
    """True: the rendered template is raw text to continue, without the chat template."""


@dataclass(frozen=True)
class DedupSpec:
    """Exact and near duplicates: 128-permutation MinHash of 5-word shingles, 16 bands x 8 rows."""

    threshold: float = 0.7
    """Estimated Jaccard similarity to a kept witness from which a document is dropped."""
    seed: bool = True
    """False leaves the seed out of the index (it stays in the ledger's history)."""
    against: list[SourceSpec] = field(default_factory=list)
    """Extra corpora a sample must not repeat; ranked before the seed."""
    evaluations: list[SourceSpec] = field(default_factory=list)
    """Evaluation sets whose 8- or 13-word shingles no sample may contain."""
    actors: int = operational(1)
    checkpoint_every: int = operational(16)
    """Batches between index checkpoints."""


@dataclass(frozen=True)
class UnitsSpec:
    """How work is cut. Texts and verdicts do not depend on any of it."""

    unit: int = operational(256)
    """Samples an engine worker leases at once."""
    batch: int = operational(16)
    """Units that are deduplicated and committed as one."""
    ahead: int = operational(2)
    """Batches open beyond the one that commits next."""


@dataclass(frozen=True)
class LedgerSpec:
    """What the accounting keeps and measures."""

    fingerprints: int = operational(10_000_000)
    """Hashes held per shingle length before the sample rate is halved."""
    companions: int = operational(400)
    """Documents sampled per finished generation for novel bits, order and diversity; 0: none."""
    anchor: list[SourceSpec] = operational(factory=list)
    """Held-out real text that no seed contains: what a generation teaches is measured on it."""


@dataclass(frozen=True)
class TargetSpec:
    """What the whole corpus is grown for; 0: no target."""

    accepted: int = operational(0)
    """Accepted samples of all generations."""
    unique: int = operational(0)
    """Unique tokens (the headline U) of all generations."""


@dataclass(frozen=True)
class BudgetSpec:
    """What one generation may cost; 0: no limit."""

    samples: int = operational(0)
    """Planned samples; exact."""
    engine_hours: float = operational(0.0)
    """Measured: the one rule that two runs may decide differently."""


@dataclass(frozen=True)
class StopSpec:
    """When a generation ends before its plan does. Every decision is a log entry."""

    target: TargetSpec = field(default_factory=TargetSpec)
    budget: BudgetSpec = field(default_factory=BudgetSpec)
    min_per_sample: float = operational(0.0)
    """Unique tokens that the next sample of a stratum must promise, at best; 0: no rule."""
    min_per_engine_hour: float = operational(0.0)
    """Unique tokens that the next engine-hour of a stratum must promise, at best; 0: no rule."""
    min_precision: float = operational(0.0)
    """Lowest audited precision of unique content, at the lower end of its interval; 0: no rule."""
    patience: int = operational(2)
    """Batches (for the anchor: generations) in a row that must agree."""
    anchor: bool = operational(True)
    """Whether generations that teach nothing about the anchor, though their text is new, are the
    last; needs `ledger.anchor`."""
    alarms: bool = operational(True)
    """Whether an alarm stops its stratum; it is shown in any case."""
    move_budget: bool = operational(False)
    """Whether the best stratum inherits what a stopped one had left; else the plan's shares rule."""


@dataclass(frozen=True)
class StoreSpec:
    """How the corpus store is reached. Credentials come from the environment, never from here."""

    endpoint: str = operational("")
    region: str = operational("")
    deadline_s: float = operational(60.0)
    """How long one operation is tried, however often it has to be sent again."""
    answer_s: float = operational(20.0)
    """Silence after which the answer to one request counts as unknown, and it is sent again."""
    single_writer: bool = operational(False)
    """Accept a store that ignores put-if-absent; the operator vouches for a single writer."""


@dataclass(frozen=True)
class RunSpec:
    """How a run behaves while it lives."""

    stage_interval_s: float = operational(60.0)
    heartbeat_s: float = operational(5.0)
    lease_s: float = operational(30.0)
    """How long a newcomer watches a heartbeat that does not move before it takes over."""
    hedge_factor: float = operational(3.0)
    """A unit open this many times longer than the median one is given to a second worker."""
    lease_deadline_s: float = operational(1800.0)
    """A worker that holds work and has finished no sample for so long hangs and is replaced, and so
    is a keeper that has not answered; 0: never. Raise it where a single sample may take longer."""
    max_restarts: int = operational(20)
    """Engine replacements per worker slot without a finished unit in between; nodes that go or are
    drained do not count."""
    ray_address: str = operational("")
    """Empty: $RAY_ADDRESS if set, else a private Ray on this machine."""


@dataclass(frozen=True)
class Recipe:
    """One YAML file of `pipelines/`, resolved."""

    name: str
    corpus: str = operational("")
    generations: int = operational(1)
    samples: int = 1000
    """Planned samples of one generation."""
    samples_per_prompt: int = 1
    seed: list[SourceSpec] = field(default_factory=list)
    parents: ParentsSpec = field(default_factory=ParentsSpec)
    prompts: list[PromptSpec] = field(default_factory=list)
    engine: EngineSpec = field(default_factory=EngineSpec)
    checks: list[dict[str, Any]] = field(default_factory=list)
    """Each item names one check and its settings: `{length: {min_words: 20}}`."""
    dedup: DedupSpec = field(default_factory=DedupSpec)
    units: UnitsSpec = field(default_factory=UnitsSpec)
    ledger: LedgerSpec = field(default_factory=LedgerSpec)
    stop: StopSpec = field(default_factory=StopSpec)
    store: StoreSpec = field(default_factory=StoreSpec)
    run: RunSpec = field(default_factory=RunSpec)
    nightly: NightlySpec = operational(factory=NightlySpec)
    keep_prompt: bool = operational(False)
    takeover: bool = operational(False)

    @property
    def fingerprint(self) -> str:
        """32 hex digits over the fields that change texts or verdicts."""
        return digest("recipe", canonical_json(semantic(self)), size=16).hex()

    @property
    def units_total(self) -> int:
        """Units of one generation; the last may be short."""
        return -(-self.samples // self.units.unit)

    @property
    def batches_total(self) -> int:
        """Batches of one generation; the last may be short."""
        return -(-self.units_total // self.units.batch)


@dataclass(frozen=True)
class LoadedRecipe:
    """A recipe, the file it came from and the folder its relative paths start at."""

    recipe: Recipe
    base: str
    path: str


def semantic(spec: Any) -> dict[str, Any]:
    """The fields of a spec that enter the fingerprint, nested, as plain JSON values."""
    kept: dict[str, Any] = {}
    for item in fields(spec):
        if item.metadata.get("operational"):
            continue
        value = getattr(spec, item.name)
        if is_dataclass(value):
            kept[item.name] = semantic(value)
        elif isinstance(value, list):
            kept[item.name] = [semantic(v) if is_dataclass(v) else v for v in value]
        else:
            kept[item.name] = value
    return kept


def resolved(recipe: Recipe) -> dict[str, Any]:
    """The whole recipe as plain JSON values, as stored in `generation_started`."""
    return asdict(recipe)


def differing_keys(stored: dict[str, Any], current: dict[str, Any], prefix: str = "") -> list[str]:
    """Dotted keys whose semantic values differ, for an error that names them."""
    keys: list[str] = []
    for key in sorted(stored.keys() | current.keys()):
        old, new = stored.get(key), current.get(key)
        if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            old, new = ({str(n): item for n, item in enumerate(side)} for side in (old, new))
        if isinstance(old, dict) and isinstance(new, dict):
            keys += differing_keys(old, new, f"{prefix}{key}.")
        elif old != new:
            keys.append(prefix + key)
    return keys
