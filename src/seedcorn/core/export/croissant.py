"""Croissant 1.0 metadata (MLCommons 2024) of an export: JSON-LD that data set tools read.

Every shard is a FileObject with its sha256; one FileSet names them all, and the fields of the one
record set are its columns. Paths are relative to the document, so the export can be moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seedcorn.core.export.exports import COPY
from seedcorn.core.export.manifest import Manifest, version
from seedcorn.core.figures import counted

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
FILES, RECORDS = "shards", "samples"
_OWN = (
    *("citeAs", "column", "examples", "extract", "field", "fileObject", "fileProperty", "fileSet"),
    *("format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path"),
    *("recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator"),
    *("source", "subField", "transform"),
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{term: f"cr:{term}" for term in _OWN},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
"""The terms of the specification's own context; other tools warn about any other."""
INTEGERS = {"generation", "index", "seed", "prompt_tokens", "completion_tokens", COPY}
LISTS = {"parents", "checks"}
MEANINGS = {
    "id": "Name of the sample: a hash of recipe, generation and place in the plan.",
    "text": "The text that the model wrote.",
    "generation": "Round of growth, from 1; parents are real documents or earlier samples.",
    "stratum": "Prompt branch of the recipe.",
    "parents": "Documents it was written from: source and id or number of a seed row, or a sample's id.",
    "model": "Model that wrote it.",
    "model_revision": "Commit or content hash of the model's weights.",
    "engine": "Inference engine and version.",
    "reasoning": "Reasoning that the model wrote before the text.",
    "prompt": "The prompt as sent, where the recipe keeps it.",
    "axes": "Values drawn for the prompt, as JSON.",
    "index": "Place in the generation's plan.",
    "recipe": "Fingerprint of the recipe.",
    "template_hash": "Hash of the prompt template.",
    "chat_template": "Hash of the model's chat template.",
    "sampling": "Sampling parameters, as JSON.",
    "seed": "Sampling seed of the request.",
    "prompt_tokens": "Tokens of the prompt.",
    "completion_tokens": "Tokens of the completion.",
    "finish_reason": "Why the model stopped.",
    "checks": "Checks that the sample passed.",
    COPY: "Counts the repetitions of one sample from 0, where a mixture weight is above 1.",
}
LICENCES = {
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "cc0-1.0": "CC0-1.0",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "odc-by": "ODC-By-1.0",
    "odbl": "ODbL-1.0",
    "pddl": "PDDL-1.0",
}
"""The hub's names of licences that SPDX has a page for."""


@dataclass(frozen=True, slots=True)
class About:
    """What nobody can compute: names, licence, dates (ISO 8601, from the log)."""

    name: str
    description: str
    licence: str
    creator: str
    url: str
    created: str
    published: str


def metadata(manifest: Manifest, about: About) -> dict[str, Any]:
    """The document as plain JSON."""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": about.name,
        "description": about.description,
        "license": licence_url(about.licence),
        "url": about.url,
        "creator": {"@type": "sc:Organization", "name": about.creator},
        "dateCreated": about.created,
        "datePublished": about.published,
        "version": version(manifest),
        "isLiveDataset": False,
        "keywords": ["synthetic", "text", "seedcorn"],
        "distribution": _distribution(manifest),
        "recordSet": [_records(manifest.columns)],
    }


def licence_url(licence: str) -> str:
    """SPDX's page of a licence it knows, else the licence's name as given."""
    known = LICENCES.get(licence.lower())
    return f"https://spdx.org/licenses/{known}.html" if known else licence


def _distribution(manifest: Manifest) -> list[dict[str, Any]]:
    files = [
        {
            "@type": "cr:FileObject",
            "@id": shard.key,
            "name": shard.key.rpartition("/")[2],
            "description": f"{counted(shard.rows, 'row')}.",
            "contentUrl": shard.key,
            "contentSize": f"{shard.bytes} B",
            "encodingFormat": "application/x-parquet",
            "sha256": shard.sha256,
        }
        for shard in manifest.shards
    ]
    together = {
        "@type": "cr:FileSet",
        "@id": FILES,
        "name": FILES,
        "description": "All shards; their order is the order of training.",
        "encodingFormat": "application/x-parquet",
        "includes": [shard.key for shard in manifest.shards],
    }
    return [*files, together]


def _records(columns: Sequence[str]) -> dict[str, Any]:
    keys = ["id", COPY] if COPY in columns else ["id"]
    return {
        "@type": "cr:RecordSet",
        "@id": RECORDS,
        "name": RECORDS,
        "description": "One record per row.",
        "key": [{"@id": f"{RECORDS}/{name}"} for name in keys],
        "field": [_field(name) for name in columns],
    }


def _field(name: str) -> dict[str, Any]:
    field = {
        "@type": "cr:Field",
        "@id": f"{RECORDS}/{name}",
        "name": name,
        "description": MEANINGS[name],
        "dataType": "sc:Integer" if name in INTEGERS else "sc:Text",
        "source": {"fileSet": {"@id": FILES}, "extract": {"column": name}},
    }
    return field | {"repeated": True} if name in LISTS else field
