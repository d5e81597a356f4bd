"""The log's encoding: every kind comes back as it went, everything else is refused by name."""

import json
from dataclasses import fields, replace
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.errors import CorruptCorpus, FormatError
from seedcorn.core.log.entries import (
    FORMATS,
    KINDS,
    BatchCommitted,
    Entry,
    GenerationAbandoned,
    GenerationStarted,
    Measurement,
    ObjectRef,
    WriterOpened,
    decode,
    encode,
)

TEXT = st.text(max_size=8) | st.sampled_from(["", "\x00", "é\ud800", "key", "\u2028"])
NUMBERS = st.integers(0, 2**63)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
REFS = st.builds(ObjectRef, TEXT, NUMBERS, TEXT, NUMBERS)
LOOKALIKE = st.just({"key": "k", "bytes": 1, "sha256": "s", "rows": 2})
"""A free-form value that looks like a reference, and is none."""
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | FLOATS | TEXT | LOOKALIKE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
FREE = st.dictionaries(TEXT, JSON, max_size=3) | LOOKALIKE
COUNTS = st.dictionaries(TEXT, NUMBERS, max_size=3)
BY_TYPE = {
    "int": NUMBERS,
    "str": TEXT,
    "float": FLOATS,
    "dict[str, typing.Any]": FREE,
    "dict[str, str]": st.dictionaries(TEXT, TEXT, max_size=3),
    "dict[str, int]": COUNTS,
    "dict[str, float]": st.dictionaries(TEXT, FLOATS, max_size=3),
    "dict[str, dict[str, int]]": st.dictionaries(TEXT, COUNTS, max_size=3),
    "dict[str, dict[str, float]]": st.dictionaries(
        TEXT, st.dictionaries(TEXT, st.floats(0, 1), max_size=3), max_size=3
    ),
    "ObjectRef": REFS,
    "dict[str, seedcorn.core.log.entries.ObjectRef]": st.dictionaries(TEXT, REFS, max_size=3),
    "list[seedcorn.core.log.entries.ObjectRef]": st.lists(REFS, max_size=3),
    "seedcorn.core.log.entries.ObjectRef | None": st.none() | REFS,
}


def values_of(hint) -> st.SearchStrategy:
    return BY_TYPE[hint.__name__ if isinstance(hint, type) and str(hint)[0] == "<" else str(hint)]


def bodies(kind) -> st.SearchStrategy:
    hints = get_type_hints(kind)
    return st.builds(kind, **{item.name: values_of(hints[item.name]) for item in fields(kind)})


def entry(body, sequence=3) -> Entry:
    return Entry(sequence, "nonce", "0" * 64, 1.5, body)


@pytest.mark.parametrize("kind", sorted(KINDS))
@given(data=st.data())
@settings(max_examples=10, deadline=None)
def test_entry_of_any_kind_and_content_decodes_to_itself(kind, data):
    written = entry(data.draw(bodies(KINDS[kind])))

    stored = encode(written)

    assert decode(stored, 3) == written
    assert encode(decode(stored, 3)) == stored
    assert written.kind == kind


OPENED = entry(WriterOpened("host", 7, "0.1"))


def damaged(**changes) -> bytes:
    return json.dumps({**json.loads(encode(OPENED)), **changes}).encode()


@pytest.mark.parametrize("change", [{"format": FORMATS[-1] + 1}, {"format": None}, {"format": "1"}])
def test_unknown_format_is_refused_by_name(change):
    with pytest.raises(FormatError, match=r"log entry 3 has format .* use the seedcorn version"):
        decode(damaged(**change), 3)


def test_abandonment_is_written_in_the_format_that_came_with_it():
    stored = json.loads(encode(entry(GenerationAbandoned(2, "why"))))
    assert (stored["format"], stored["kind"]) == (2, "generation_abandoned")


@pytest.mark.parametrize("kind", ["corpus_burnt", "", None, [], {}])
def test_unknown_kind_is_refused_by_name(kind):
    with pytest.raises(FormatError, match="log entry 3 has format 1, kind"):
        decode(damaged(kind=kind), 3)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b'{"format":1}',
        encode(OPENED)[:-9],
        damaged(body=None),
        damaged(body="ab"),
        damaged(body=[1]),
        damaged(body={"host": "h"}),
        damaged(sequence=4),
    ],
)
def test_damaged_entry_is_corrupt_and_named(data):
    with pytest.raises(CorruptCorpus, match="log entry 3"):
        decode(data, 3)


def test_field_that_this_code_does_not_know_is_refused_by_name():
    later = {"host": "h", "pid": 1, "version": "v", "region": "r"}
    with pytest.raises(FormatError, match=r"log entry 3 \(writer_opened\) says region, .* newer"):
        decode(damaged(body=later), 3)


def test_entry_that_says_nothing_new_is_written_in_the_first_format():
    started = GenerationStarted(1, {}, "f", "s", {})

    plain = json.loads(encode(entry(started)))

    assert (plain["format"], "rules" in plain["body"]) == (1, False)
    ruled = json.loads(encode(entry(replace(started, rules={"text": 2}))))
    assert (ruled["format"], ruled["body"]["rules"]) == (2, {"text": 2})


@pytest.mark.parametrize("objects", [[7], [{"key": "k"}], ["k"], {"key": "k"}, 5])
def test_entry_with_damaged_references_is_corrupt_and_named(objects):
    raw = json.loads(encode(entry(Measurement("m", {}, {}))))
    raw["body"]["objects"] = objects

    with pytest.raises(CorruptCorpus, match=r"log entry 3 \(measurement\)"):
        decode(json.dumps(raw).encode(), 3)


def test_not_a_number_is_refused_before_it_is_stored():
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode(entry(Measurement("m", {}, {"mean": float("nan")})))


def test_encoding_does_not_depend_on_the_order_of_keys():
    one = Measurement("m", {"a": 1, "b": 2}, {})
    two = Measurement("m", {"b": 2, "a": 1}, {})

    assert encode(entry(one)) == encode(entry(two))


def test_batch_from_before_containment_was_measured_still_reads():
    names = [item.name for item in fields(BatchCommitted)]
    body = dict.fromkeys(names, 1) | {"data": [], "dropped": [], "sketch": None}
    del body["containment"]
    raw = {**json.loads(encode(OPENED)), "kind": "batch_committed", "body": body}

    assert decode(json.dumps(raw).encode(), 3).body.containment == {}
