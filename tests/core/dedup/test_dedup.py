"""The compiled greedy against a plain sequential one, for every way of cutting up the stream."""

import itertools
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedcorn.core.dedup.dedup import DedupResult, insertions, resolve
from seedcorn.core.dedup.index import Index, owners
from seedcorn.core.dedup.witnesses import Witnesses, witness_owner
from seedcorn.core.text.fingerprint import fingerprint_texts, similarity
from seedcorn.core.text.words import NEWEST

SETTINGS = settings(max_examples=20, deadline=None)
THRESHOLD = 0.7


@dataclass
class Line:
    """The seal step over any number of index parts, as the runtime does it."""

    parts: int = 1
    indexes: list[Index] = field(init=False)
    witnesses: list[Witnesses] = field(init=False)
    ordinal: int = 0

    def __post_init__(self):
        self.indexes = [Index(part, self.parts) for part in range(self.parts)]
        self.witnesses = [Witnesses(part, self.parts) for part in range(self.parts)]

    def answers(self, keys):
        flat = keys.ravel()
        owner, found = owners(flat, self.parts), np.empty(flat.size, np.int64)
        for part, index in enumerate(self.indexes):
            found[owner == part] = index.lookup(flat[owner == part])
        return found.reshape(keys.shape)

    def known(self, witness, first):
        ordinals = np.unique(witness[(witness >= 0) & (witness < first)])
        signatures = np.empty((ordinals.size, 64), np.uint8)
        owner = witness_owner(ordinals, self.parts)
        for part, witnesses in enumerate(self.witnesses):
            signatures[owner == part] = witnesses.get(ordinals[owner == part])[0]
        return ordinals, signatures

    def decide(self, keys, signatures, first):
        witness = self.answers(keys)
        return resolve(keys, signatures, witness, self.known(witness, first), first, THRESHOLD)

    def insert(self, keys, signatures, verdicts, first):
        flat, ordinals = insertions(keys, verdicts, first)
        owner = owners(flat, self.parts)
        for part in range(self.parts):
            self.indexes[part].insert(flat[owner == part], ordinals[owner == part])
            kept = signatures[verdicts.kept]
            self.witnesses[part].put(first, kept, np.zeros(len(kept), np.uint64))

    def seal(self, keys, signatures):
        verdicts = self.decide(keys, signatures, self.ordinal)
        self.insert(keys, signatures, verdicts, self.ordinal)
        self.ordinal += int(verdicts.kept.sum())
        return verdicts


def sequential(keys, signatures) -> DedupResult:
    """The definition: one document at a time, one dict."""
    owner: dict[int, int] = {}
    rows: list[int] = []
    n = len(keys)
    verdicts = DedupResult(
        np.zeros(n, bool), np.full(n, -1), np.zeros(n, np.float32), np.zeros(n, bool)
    )
    for row in range(n):
        reduced = [int(key) >> 12 for key in keys[row]]
        copy = owner.get(reduced[16])
        if copy is not None and np.array_equal(signatures[rows[copy]], signatures[row]):
            verdicts.witness[row], verdicts.similarity[row], verdicts.exact[row] = copy, 1, True
            continue
        for candidate in sorted({owner[key] for key in reduced if key in owner}):
            alike = similarity(signatures[rows[candidate]][None], signatures[row][None])[0]
            if alike >= np.float32(THRESHOLD):
                verdicts.witness[row], verdicts.similarity[row] = candidate, alike
                break
        else:
            verdicts.kept[row] = True
            for key in reduced:
                owner.setdefault(key, len(rows))
            rows.append(row)
    return verdicts


def stream(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Documents in families: shared keys, signatures of all likenesses, exact copies, crossings."""
    rng = np.random.default_rng(seed)
    families = max(1, n // 6)
    keys = rng.integers(0, 2**64, (families, 17), dtype=np.uint64)
    bits = rng.integers(0, 16, (families, 128), dtype=np.uint8)
    family = rng.integers(0, families, n)
    own_keys, own_bits = keys[family], bits[family]
    changed = rng.random((n, 17)) < rng.choice([0, 0, 0.3, 0.8], (n, 1))
    own_keys[changed] = rng.integers(0, 2**64, changed.sum(), dtype=np.uint64)
    crossing = rng.random((n, 17)) < 0.1
    own_keys[crossing] = np.broadcast_to(keys[rng.integers(0, families, n)], (n, 17))[crossing]
    own_keys ^= rng.integers(0, 2**12, (n, 17), dtype=np.uint64)
    share = rng.choice([0, 0, 0.2, 36 / 128, 37 / 128, 0.5], (n, 1))
    edited = np.argsort(np.argsort(rng.random((n, 128)), axis=1), axis=1) < share * 128
    own_bits = np.where(edited, (own_bits + rng.integers(1, 16, (n, 128))) % 16, own_bits)
    return own_keys, (own_bits[:, 0::2] | own_bits[:, 1::2] << 4).astype(np.uint8)


def equal(left: DedupResult, right: DedupResult) -> bool:
    return all(
        np.array_equal(getattr(left, name), getattr(right, name))
        for name in ("kept", "witness", "similarity", "exact")
    )


def sealed(line: Line, keys, signatures, cuts: list[int]) -> DedupResult:
    edges = sorted({0, *(cut % len(keys) for cut in cuts), len(keys)})
    parts = [line.seal(keys[a:b], signatures[a:b]) for a, b in itertools.pairwise(edges)]
    names = ("kept", "witness", "similarity", "exact")
    return DedupResult(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


CUTS = st.lists(st.integers(0, 10**6), max_size=8)


@given(seed=st.integers(0, 2**32), n=st.integers(1, 250), cuts=CUTS, parts=st.integers(1, 4))
@SETTINGS
def test_resolve_any_batches_and_parts_equals_one_sequential_pass(seed, n, cuts, parts):
    keys, signatures = stream(seed, n)

    verdicts = sealed(Line(parts), keys, signatures, cuts)

    assert equal(verdicts, sequential(keys, signatures))


def test_resolve_the_generated_stream_meets_every_kind_of_verdict():
    verdicts = sequential(*stream(3, 600))

    assert 100 < verdicts.kept.sum() < 500
    assert verdicts.exact.sum() > 20
    assert (~verdicts.kept & ~verdicts.exact).sum() > 20
    assert np.float32(0.7) in verdicts.similarity


@given(seed=st.integers(0, 2**32), n=st.integers(1, 200), cuts=CUTS, parts=st.integers(1, 3))
@SETTINGS
def test_resolve_of_replayed_batches_gives_the_same_verdicts(seed, n, cuts, parts):
    keys, signatures = stream(seed, n)
    line, edges = Line(parts), sorted({0, *(cut % n for cut in cuts), n})
    first, history = 0, []
    for start, end in itertools.pairwise(edges):
        verdicts = line.seal(keys[start:end], signatures[start:end])
        history.append((start, end, first, verdicts))
        first = line.ordinal
    before = [index.snapshot() for index in line.indexes]

    for start, end, ordinal, verdicts in history:
        again = line.decide(keys[start:end], signatures[start:end], ordinal)
        line.insert(keys[start:end], signatures[start:end], again, ordinal)
        assert equal(again, verdicts)
    for index, arrays in zip(line.indexes, before, strict=True):
        assert all(np.array_equal(index.snapshot()[name], arrays[name]) for name in arrays)


@given(seed=st.integers(0, 2**32), n=st.integers(1, 250), cuts=CUTS)
@SETTINGS
def test_resolve_every_drop_names_an_earlier_kept_document_that_is_alike(seed, n, cuts):
    keys, signatures = stream(seed, n)

    verdicts = sealed(Line(), keys, signatures, cuts)

    kept_rows, dropped = np.flatnonzero(verdicts.kept), np.flatnonzero(~verdicts.kept)
    witnesses = kept_rows[verdicts.witness[dropped]]
    assert np.all(witnesses < dropped)
    assert np.array_equal(
        similarity(signatures[witnesses], signatures[dropped]), verdicts.similarity[dropped]
    )
    assert np.all(verdicts.similarity[dropped] >= np.float32(THRESHOLD))
    assert np.all(verdicts.witness[verdicts.kept] == -1)


TEXT = "the miller kept the best grain of every harvest in a dry loft above the wheel house "


def test_resolve_real_texts_are_judged_exact_near_and_new():
    long = " ".join(f"{TEXT}in year {year}" for year in range(30))
    near = long.replace("in year 12", "in the year 12")
    texts = [
        long,
        "nothing like it at all was ever written down before",
        near,
        f"  {long}\n",
        long.upper(),
    ]
    prints = fingerprint_texts(texts, NEWEST)

    verdicts = Line().seal(prints.keys, prints.signature)

    assert verdicts.kept.tolist() == [True, True, False, False, False]
    assert verdicts.witness.tolist() == [-1, -1, 0, 0, 0]
    assert verdicts.exact.tolist() == [False, False, False, True, False]
    assert 0.7 <= verdicts.similarity[2] < 1 == verdicts.similarity[3] == verdicts.similarity[4]


def test_resolve_same_words_reached_through_a_band_only_is_near():
    keys, signatures = stream(5, 1)
    keys = np.repeat(keys, 2, axis=0)
    keys[1, 16] += np.uint64(2**13)

    verdicts = Line().seal(keys, np.repeat(signatures, 2, axis=0))

    assert verdicts.similarity.tolist() == [0, 1]
    assert not verdicts.exact.any()


def test_resolve_read_only_and_strided_arrays_are_accepted():
    keys, signatures = stream(6, 40)
    wide = np.zeros((40, 20), np.uint64)
    wide[:, :17] = keys
    signatures.flags.writeable = False

    assert equal(Line().seal(wide[:, :17], signatures), sequential(keys, signatures))


def test_resolve_empty_batch_gives_empty_verdicts():
    verdicts = Line().seal(np.empty((0, 17), np.uint64), np.empty((0, 64), np.uint8))

    assert verdicts.kept.size == verdicts.witness.size == 0


def test_resolve_answer_without_signature_is_refused_by_number():
    keys, signatures = stream(7, 2)
    witness = np.full((2, 17), -1)
    witness[1, 3] = 41
    known = (np.array([40]), signatures[:1])

    with pytest.raises(ValueError, match="witness 41"):
        resolve(keys, signatures, witness, known, 42, THRESHOLD)


def test_resolve_ill_shaped_batch_is_refused():
    keys, signatures = stream(8, 3)
    known = (np.empty(0, np.int64), np.empty((0, 64), np.uint8))

    with pytest.raises(ValueError, match="17"):
        resolve(keys[:, :16], signatures, np.full((3, 16), -1), known, 0, THRESHOLD)
