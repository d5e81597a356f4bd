"""Croissant metadata against the rules of the specification, version 1.0, written down here.

`mlcroissant` is no dependency, so required properties, their cardinality, references, identifiers
and the context's terms are checked by `problems`, which planted mistakes must not pass.
"""

import copy
import json
import re
from dataclasses import replace

import pytest

from seedcorn.core.export.croissant import LICENCES, MEANINGS, About, licence_url, metadata
from seedcorn.core.export.exports import COLUMNS, COPY, Options
from seedcorn.core.export.manifest import empty
from seedcorn.core.export.mixture import Weights
from tests.core.export.test_manifest import FIRST, SECOND

ABOUT = About(
    "lakes", "Texts about lakes.", "apache-2.0", "Lakes Ltd", "https://a.example/x",
    "2026-01-02", "2026-02-03",
)  # fmt: skip
ONE = {"name", "description", "url", "datePublished", "version", "conformsTo", "@type"}
SCHEMA_ORG = ONE | {"license", "creator", "dateCreated", "keywords", "distribution"}
SCHEMA_ORG |= {"contentUrl", "contentSize", "encodingFormat", "sha256", "@id", "@context"}
FILE = {"@id": str, "name": str, "contentUrl": str, "contentSize": str, "encodingFormat": str,
        "sha256": str}  # fmt: skip


def document(**options):
    manifest = replace(empty(Options(**options)), increments=(FIRST, SECOND))
    return metadata(manifest, ABOUT)


def problems(told):
    """Everything in a document that the specification does not allow."""
    found = [f"no {key}" for key in SCHEMA_ORG - FILE.keys() | {"@context"} if not told.get(key)]
    found += [f"{key} is not one text" for key in ONE if not isinstance(told.get(key), str)]
    if told.get("@type") != "sc:Dataset":
        found.append("not a data set")
    if told.get("conformsTo") != "http://mlcommons.org/croissant/1.0":
        found.append("conforms to something else")
    if not re.fullmatch(r"\d+\.\d+\.\d+", str(told.get("version"))):
        found.append("version is not MAJOR.MINOR.PATCH")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", str(told.get("datePublished"))):
        found.append("datePublished is no date")
    if told.get("creator", {}).get("@type") not in ("sc:Organization", "sc:Person"):
        found.append("creator is nobody")
    return found + resources(told) + records(told) + identifiers(told) + terms(told)


def resources(told):
    found = []
    for one in told["distribution"]:
        if one["@type"] == "cr:FileObject":
            found += [f"{k} of a file" for k, t in FILE.items() if not isinstance(one.get(k), t)]
            if not re.fullmatch(r"[0-9a-f]{64}", one.get("sha256", "")):
                found.append("sha256 is none")
            if not re.fullmatch(r"\d+ B", one.get("contentSize", "")):
                found.append("contentSize has no unit")
        elif one["@type"] == "cr:FileSet":
            files = {f["contentUrl"] for f in told["distribution"] if "contentUrl" in f}
            if set(one.get("includes", ())) != files:
                found.append("the set has other files")
        else:
            found.append(f"a {one['@type']} is distributed")
    return found


def records(told):
    found = []
    sources = {one["@id"] for one in told["distribution"]}
    for records in told["recordSet"]:
        fields = {field["@id"] for field in records["field"]}
        if records["@type"] != "cr:RecordSet" or not fields:
            found.append("no records")
        if any(key["@id"] not in fields for key in records["key"]):
            found.append("key is no field")
        for field in records["field"]:
            found += [f"{field['@id']}: {what}" for what in field_problems(field, sources)]
            if not field["@id"].startswith(records["@id"] + "/"):
                found.append(f"{field['@id']} is not in its record set")
    return found


def field_problems(field, sources):
    source = field.get("source", {})
    if source.get("fileSet", {}).get("@id") not in sources:
        yield "comes from nowhere"
    if source.get("extract", {}).get("column") != field["name"]:
        yield "is of no column"
    if field.get("dataType") not in ("sc:Text", "sc:Integer") or field["@type"] != "cr:Field":
        yield "has no type"


def identifiers(told):
    every = [one["@id"] for one in [*told["distribution"], *told["recordSet"]]]
    every += [field["@id"] for records in told["recordSet"] for field in records["field"]]
    return [f"{name} twice" for name in every if every.count(name) > 1]


def terms(told):
    """Keys that neither schema.org (as used here) nor the context defines."""
    context = told["@context"]

    def keys(node):
        if isinstance(node, dict):
            for key, value in node.items():
                yield key
                yield from keys(value)
        elif isinstance(node, list):
            for item in node:
                yield from keys(item)

    used = set(keys({key: value for key, value in told.items() if key != "@context"}))
    needed = {
        name for name in ("cr", "sc", "dct") if not str(context.get(name, "")).startswith("http")
    }
    return [f"{term} means nothing" for term in (used - SCHEMA_ORG - context.keys()) | needed]


def test_document_keeps_every_rule():
    told = document()
    assert problems(told) == []
    assert json.loads(json.dumps(told)) == told
    assert told["license"] == "https://spdx.org/licenses/Apache-2.0.html"
    assert [field["name"] for field in told["recordSet"][0]["field"]] == list(Options().names)


def test_repeated_rows_have_a_key_of_two_fields():
    told = document(weights=Weights({"tell": 2.0}))
    assert problems(told) == []
    keys = [key["@id"] for key in told["recordSet"][0]["key"]]
    assert keys == ["samples/id", "samples/copy"]


def test_all_columns_have_a_meaning():
    assert MEANINGS.keys() == {*COLUMNS, COPY}
    assert problems(document(columns=tuple(COLUMNS))) == []


def test_licences_without_a_page_stay_as_given():
    assert licence_url("MIT") == "https://spdx.org/licenses/MIT.html"
    assert licence_url("other") == "other"
    assert all(name == name.lower() for name in LICENCES)


MISTAKES = {
    "no licence": lambda told: told.pop("license"),
    "no date": lambda told: told.pop("datePublished"),
    "version": lambda told: told.update(version="1"),
    "conforms": lambda told: told.update(conformsTo="http://mlcommons.org/croissant/1.1"),
    "hash": lambda told: told["distribution"][0].update(sha256="0"),
    "file left out": lambda told: told["distribution"][-1]["includes"].pop(),
    "twice": lambda told: told["distribution"].append(copy.deepcopy(told["distribution"][0])),
    "source": lambda told: told["recordSet"][0]["field"][0]["source"]["fileSet"].update(
        {"@id": "x"}
    ),
    "key": lambda told: told["recordSet"][0]["key"][0].update({"@id": "samples/x"}),
    "term": lambda told: told["recordSet"][0].update(rows=3),
    "context": lambda told: told["@context"].pop("recordSet"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_planted_mistake_is_found(mistake):
    told = copy.deepcopy(document())
    MISTAKES[mistake](told)
    assert problems(told)
