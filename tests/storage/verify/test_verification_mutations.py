"""Random damage to a corpus' objects: `verify` finds every single one."""

import random
from dataclasses import replace

import pytest

from seedcorn.config import recipe_from_dict
from seedcorn.core.log.layout import DATA, DROPPED, LOG, SKETCHES
from seedcorn.core.recipe import LedgerSpec
from seedcorn.storage.verify.verification import verify
from tests.corpora.damaging import copy_of
from tests.storage.sound_corpus import NUMBERS, RECIPE, grown

MUTATIONS = 120
COVERED = (LOG, DATA, DROPPED, SKETCHES)
"""What the log names, and the log; checkpoints are a cache, the heartbeat decides nothing."""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two batches: every object of it is read in a fraction of a second."""
    # Without companions the newest checkpoint covers the newest entry: nothing else binds that one.
    recipe = replace(RECIPE, generations=1, samples=64, ledger=LedgerSpec(companions=0))
    return grown(tmp_path_factory.mktemp("small"), recipe)


def keys_of(store, *prefixes):
    return sorted(info.key for prefix in prefixes for info in store.list(prefix))


def flip(store, chance):
    key = chance.choice([k for k in keys_of(store, *COVERED) if store.get(k)])
    data = bytearray(store.get(key))
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    store.put(key, bytes(data))
    return key


def truncate(store, chance):
    key = chance.choice([k for k in keys_of(store, *COVERED) if store.get(k)])
    data = store.get(key)
    store.put(key, data[: chance.randrange(len(data))])
    return key


def delete(store, chance):
    # The last entry of a log that no checkpoint covers is one that was never appended.
    key = chance.choice(keys_of(store, *COVERED))
    store.delete(key)
    return key


def add(store, chance):
    prefix = chance.choice([DATA, DROPPED])
    sha16 = f"{chance.getrandbits(64):016x}"
    first = chance.randrange(4)
    key = f"{prefix}gen-0001/part-{first:08d}-{first + chance.randrange(4):08d}-{sha16}.parquet"
    store.put(key, chance.randbytes(chance.randrange(200)))
    return key


def append(store, chance):
    """Something that is no entry under the log's next number."""
    last = keys_of(store, LOG)[-1]
    number = int(last[len(LOG) : -len(".json")]) + 1
    key = f"{LOG}{number:010d}.json"
    store.put(key, chance.choice([b"", b"{}", store.get(last), chance.randbytes(40)]))
    return key


def swap(store, chance):
    prefix = chance.choice([DATA, DROPPED, SKETCHES, LOG])
    one, other = chance.sample(keys_of(store, prefix), 2)
    first, second = store.get(one), store.get(other)
    store.put(one, second)
    store.put(other, first)
    return one, other


def edit(store, chance):
    """One digit of an entry is another one."""
    key = chance.choice(keys_of(store, LOG))
    data = bytearray(store.get(key))
    at = chance.choice([n for n, byte in enumerate(data) if chr(byte).isdigit()])
    data[at] = ord(chance.choice("0123456789".replace(chr(data[at]), "")))
    store.put(key, bytes(data))
    return key


KINDS = (flip, truncate, delete, add, append, swap, edit)


def test_every_random_mutation_is_detected(small):
    assert verify(small, recipe_from_dict).ok
    missed = []
    for seed in range(MUTATIONS):
        chance, kind = random.Random(seed), KINDS[seed % len(KINDS)]
        store = copy_of(small, f"mutated-{next(NUMBERS)}")
        what = kind(store, chance)
        report = verify(store, recipe_from_dict)
        if report.ok or not report.broken.text or report.digest:
            missed.append((seed, kind.__name__, what))
    assert missed == []
