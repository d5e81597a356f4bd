"""What a corpus says: by the command line of the code under test, and by its files as they lie.

Used once to write `expected.json` and ever since to compare with it, so that both mean the same.
Rows are read here with JSON and Arrow alone: how seedcorn reads them is under test as well.
"""

import hashlib
import json
import shutil
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import fsspec
import pyarrow.parquet as pq

from seedcorn.cli import main
from seedcorn.config import load_recipe
from seedcorn.runtime.driver.grow import grow
from tests.faults.processes.journal import hosting

FOLDER = Path(__file__).parent
CORPUS, RECIPE, EXPECTED = FOLDER / "corpus", FOLDER / "golden.yaml", FOLDER / "expected.json"
LETTERS = "/golden/letters.parquet"
"""Where the log says that the Parquet seed lies, in fsspec's memory: a path that no machine has."""
GENERATIONS = 4
"""Those stored, of which the last is not finished, and one more."""
EXPORTS = {
    "default": (),
    "weighted": (
        *("--weight", "stratum:merge=2", "--weight", "generation:1=0.5", "--seed", "7"),
        *("--columns", "text,parents,prompt,axes,index,seed,checks,template_hash,recipe,sampling"),
    ),
    "in-plan-order": ("--no-shuffle", "--stratum", "invent", "--generation", "2"),
}
MEASURED = ("corpus", "measured")
"""Keys of the ledger that hold where it lies and how long it took."""
COLUMNS = (
    *("sample_id", "text", "reasoning", "generation", "index", "unit", "stratum", "parents"),
    *("axes", "template_hash", "recipe", "model", "model_revision", "engine", "chat_template"),
    *("sampling", "seed", "prompt_tokens", "completion_tokens", "finish_reason", "checks"),
    *("neutralised", "prompt", "keys", "signature", "text_hash", "words"),
    *("outcome", "reason", "detail", "duplicate_of", "similarity"),
)
"""Of data and dropped shards; a later column does not count."""


def copied(folder, checkpoints=True):
    """A copy of the golden corpus below `folder`, its Parquet seed at hand."""
    letters = (FOLDER / "seeds" / "letters.parquet").read_bytes()
    fsspec.filesystem("memory").pipe_file(LETTERS, letters)
    without = None if checkpoints else shutil.ignore_patterns("checkpoints")
    return Path(shutil.copytree(CORPUS, folder / "corpus", ignore=without))


def grow_on(corpus, *overrides):
    """Finish the open generation and grow another one, without Ray."""
    loaded = load_recipe(str(RECIPE), [f"corpus={corpus}", *overrides])
    return grow(loaded, lambda look: None, hosting(corpus.parent / "journal"))


def said(*words):
    """What a command prints; it has to end well."""
    told = StringIO()
    with redirect_stdout(told):
        code = main([str(word) for word in words])
    if code:
        raise AssertionError(f"seedcorn {words[0]} ended with {code}: {told.getvalue()}")
    return told.getvalue()


def verified(corpus, *words):
    """The report of `verify`: which promises were proved, and the digest."""
    report = json.loads(said("verify", corpus, "--json", *words))
    return {
        "ok": report["ok"],
        "digest": report["digest"],
        # Keys, because later code may prove more.
        "proved": {finding["promise"]: True for finding in report["proved"]},
        "warnings": len(report["warnings"]),
    }


def ledger_of(corpus):
    """All figures of the ledger."""
    document = json.loads(said("ledger", corpus, "--json"))
    return {key: value for key, value in document.items() if key not in MEASURED}


def rows_of(corpus):
    """Every committed row by generation, as `index outcome reason id hash`, in plan order."""
    found = {}
    for entry in log_of(corpus):
        if entry["kind"] != "batch_committed":
            continue
        rows = found.setdefault(str(entry["body"]["generation"]), {})
        for ref in (*entry["body"]["data"], *entry["body"]["dropped"]):
            rows.update((row["index"], row) for row in _table(corpus / ref["key"]))
    return {
        number: [
            _line(row, "index", "outcome", "reason", "sample_id") for _, row in sorted(rows.items())
        ]
        for number, rows in found.items()
    }


def exported(corpus, target, *words):
    """Every row of an export, as `id hash`, in the order in which a reader meets it."""
    said("export", corpus, target, *words)
    manifest = json.loads((target / "export.json").read_bytes())
    shards = [shard["key"] for part in manifest["increments"] for shard in part["shards"]]
    return [_line(row, "id") for key in shards for row in pq.read_table(target / key).to_pylist()]


def log_of(corpus):
    """The entries of the log in order."""
    return [json.loads(path.read_bytes()) for path in sorted((corpus / "log").glob("*.json"))]


def _table(path):
    for row in pq.ParquetFile(path).read().to_pylist():
        yield {name: row.get(name) for name in COLUMNS} | {
            "outcome": row.get("outcome", "accepted")
        }


def _line(row, *names):
    plain = json.dumps(row, sort_keys=True, default=bytes.hex)
    shown = (str(row[name]) for name in names if row[name] is not None)
    return " ".join([*shown, hashlib.sha256(plain.encode()).hexdigest()[:16]])
