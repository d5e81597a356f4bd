"""Names that are stored in corpora or read by programs: a rename would orphan what exists."""

import dataclasses
import json
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from seedcorn.cli import COMMANDS
from seedcorn.commands.doctor.table import as_json
from seedcorn.core import errors
from seedcorn.core.log.entries import KINDS, decode, encode
from seedcorn.core.ops.metrics import METRICS
from seedcorn.core.recipe import Recipe
from seedcorn.core.sketch.sketch import COLUMNS
from seedcorn.storage.conformance.probe import Finding
from seedcorn.storage.log.withdrawals import SCHEMA as WITHDRAWN_SCHEMA
from seedcorn.storage.samples.samples import DATA_SCHEMA, DROPPED_SCHEMA, SEGMENT_SCHEMA
from seedcorn.storage.seeds.conversion import GROUP
from seedcorn.storage.seeds.conversion import SCHEMA as SEED_SCHEMA
from seedcorn.storage.seeds.held_out import SCHEMA as HELD_SCHEMA
from tests.golden.contents import ledger_of

LISTED = json.loads((Path(__file__).parent / "stored_names.json").read_text(encoding="utf-8"))
GOLDEN = Path(__file__).parent / "golden" / "corpus"


def test_log_entries_keep_their_kinds_and_keys():
    entry = decode((GOLDEN / "log" / "0000000000.json").read_bytes(), 0)
    assert_names("log_entry", json.loads(encode(entry)).keys())
    assert_names(
        "log_bodies",
        {f"{kind}.{key}" for kind, body in KINDS.items() for key in keys_of(body)} | KINDS.keys(),
    )


@pytest.mark.parametrize(
    ("what", "columns"),
    [
        ("shard_columns", DATA_SCHEMA.names),
        ("dropped_columns", DROPPED_SCHEMA.names),
        ("segment_columns", SEGMENT_SCHEMA.names),
        ("sketch_columns", COLUMNS),
        ("withdrawn_columns", WITHDRAWN_SCHEMA.names),
        ("converted_seed_columns", [*SEED_SCHEMA.names, GROUP.name]),
        ("held_out_columns", HELD_SCHEMA.names),
    ],
)
def test_parquet_files_keep_their_columns(what, columns):
    assert_names(what, set(columns))


def test_recipes_keep_their_keys():
    assert_names("recipe_keys", keys_of(Recipe))


def test_ledger_document_keeps_its_keys():
    assert_names("ledger_json", paths(ledger_of(GOLDEN)))


def test_doctor_document_keeps_its_keys():
    assert_names("doctor_json", paths(json.loads(as_json([("store", [Finding("is", "ok")])]))))


def test_metrics_keep_their_names_and_tags():
    assert_names("metrics", {" ".join((metric.exported, *metric.tags)) for metric in METRICS})


def test_commands_keep_their_names():
    assert_names("commands", COMMANDS.keys())


def test_errors_keep_their_exit_codes():
    kinds = (kind for kind in vars(errors).values() if isinstance(kind, type))
    codes = {f"{k.__name__} {k.exit_code}" for k in kinds if issubclass(k, errors.SeedcornError)}
    assert_names("exit_codes", codes)


def test_renamed_key_is_named_as_gone_and_as_new():
    names = {*LISTED["commands"], "cultivate"} - {"grow"}
    with pytest.raises(AssertionError, match=r"gone: grow; not listed: cultivate"):
        assert_names("commands", names)


def assert_names(what, names):
    """The names are those of the list; says which are gone and which are new."""
    listed, found = set(LISTED[what]), set(names)
    assert listed == found, (
        f"{what}: gone: {', '.join(sorted(listed - found)) or 'none'}; not listed: "
        f"{', '.join(sorted(found - listed)) or 'none'}. Corpora and scripts that exist use these "
        "names: keep old ones, and add new ones to tests/stored_names.json"
    )


def keys_of(record, prefix=""):
    """Dotted keys of a record and of the records in it; `[]` stands for the items of a list."""
    found = set()
    for name, hint in get_type_hints(record).items():
        found.add(f"{prefix}{name}")
        for inner in (hint, *get_args(hint)):
            if dataclasses.is_dataclass(inner):
                mark = "" if inner is hint else "[]"
                found |= keys_of(inner, f"{prefix}{name}{mark}.")
    return found


def paths(value, prefix=""):
    """Dotted keys of a JSON value; `[]` stands for the items of a list."""
    if isinstance(value, list):
        return {path for item in value for path in paths(item, f"{prefix}[]")}
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, inner in value.items():
        path = f"{prefix}.{key}" if prefix else key
        found |= {path} | paths(inner, path)
    return found
