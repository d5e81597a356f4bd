"""The recipe's part about texts: which documents are read, what is asked about them, what counts as new."""

from dataclasses import dataclass, field

from seedcorn.core.recipe.fields import operational, semantic


@dataclass(frozen=True)
class SourceSpec:
    """A set of documents: one file, a glob or a prefix, on any fsspec store.

    `path` is relative to the recipe's folder unless it has a scheme; `package:NAME` is a file
    shipped inside seedcorn. `name` appears in lineage and in reports.
    """

    path: str = operational()
    """Where the documents lie now; what they are is in the seed's own fingerprint."""
    name: str = ""
    format: str = "auto"
    """auto | parquet | jsonl | text"""
    text: str = "text"
    """Column (Parquet) or key (JSONL) that holds the document."""
    id: str = ""
    """Column or key that holds a document id, each once; empty: the row number names the document."""
    split: str = "file"
    """Plain text only: file | paragraph | line."""
    max_chars: int = semantic(20_000, at_least=1)
    """Longer documents become `rejected: seed_row`."""
    grows: bool = operational(False)
    """Whether files that appear later join the seed before the next generation; else they are
    refused. The corpus keeps a copy of what it has read, so files may go; one that is still there
    must be as it was, and a new one needs a new name."""


@dataclass(frozen=True)
class ParentsSpec:
    """Where generation g > 1 finds its parents: weights over three pools (generation 1: seed).

    *Accumulate* is `seed: 1, previous: 1, earlier: 1`; *replace* is `seed: 0, previous: 1`.
    """

    seed: float = semantic(1.0, at_least=0)
    previous: float = semantic(1.0, at_least=0)
    earlier: float = semantic(0.0, at_least=0)
    order: str = "shuffled"
    """shuffled: uniform over rows; blocks: row groups in shuffled order, for seeds too large to
    read row by row; sequential."""


@dataclass(frozen=True)
class PromptSpec:
    """One branch of the recipe: a Jinja template times its axes. A stratum of the ledger."""

    name: str
    template: str
    system: str = ""
    weight: float = semantic(1.0, at_least=0)
    parents: int = semantic(1, at_least=0, at_most=64)
    """Documents drawn per prompt, as `parents` (list) and `parent` (the first) in the template."""
    axes: dict[str, list[str]] = field(default_factory=dict)
    continuation: bool = False
    """True: the rendered template is raw text to continue, without the chat template."""


@dataclass(frozen=True)
class DedupSpec:
    """Exact and near duplicates: 128-permutation MinHash of 5-word shingles, 16 bands x 8 rows."""

    threshold: float = semantic(0.7, above=0, at_most=1)
    """Estimated Jaccard similarity to a kept witness from which a document is dropped."""
    seed: bool = True
    """False leaves the seed out of the index (it stays in the ledger's history)."""
    against: list[SourceSpec] = field(default_factory=list)
    """Extra corpora a sample must not repeat; ranked before the seed."""
    evaluations: list[SourceSpec] = field(default_factory=list)
    """Evaluation sets whose 8- or 13-word shingles no sample may contain."""
    actors: int = operational(1, at_least=1)
    checkpoint_every: int = operational(16, at_least=1)
    """Batches between index checkpoints."""
