"""The index against a plain dict: inserts, lookups, room, snapshots and parts, in any order."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from seedcorn.core.dedup.index import Index, owners, reduced

# Few partitions, and keys that differ in their lowest bits alone: those are one key to the index.
KEYS = st.builds(
    lambda partition, middle, low: partition << 52 | middle << 12 | low,
    st.sampled_from([0, 1, 2047, 2048, 4095]),
    st.sampled_from([0, 1, 2, 2**39, 2**40 - 1]),
    st.sampled_from([0, 1, 4095]),
)
ORDINALS = st.one_of(st.integers(0, 40), st.sampled_from([2**24 - 2, 2**24 - 1, 2**24, 2**39]))
PAIRS = st.lists(st.tuples(KEYS, ORDINALS), min_size=1, max_size=60)


class IndexMachine(RuleBasedStateMachine):
    """However it is divided, grown, copied and restored, it is the dict of lowest ordinals."""

    @initialize(parts=st.integers(1, 5))
    def start(self, parts):
        self.parts = [Index(part, parts) for part in range(parts)]
        self.model = {}

    @rule(pairs=PAIRS)
    def insert(self, pairs):
        self._send(pairs)
        for key, ordinal in pairs:
            short = key >> 12
            self.model[short] = min(ordinal, self.model.get(short, ordinal))

    @rule(data=st.data())
    def insert_again(self, data):
        """Idempotent: what is there, or something of a higher rank, changes nothing."""
        if self.model:
            short = data.draw(st.sampled_from(sorted(self.model)))
            self._send([(short << 12, self.model[short] + data.draw(st.integers(0, 3)))])

    @rule(count=st.integers(1, 400))
    def insert_many(self, count):
        """More than a partition holds: the table grows in the middle of an insert."""
        self.insert([((3 << 52) | (number << 12), number) for number in range(count)])

    @rule(documents=st.sampled_from([0, 1, 500, 3_000]))
    def reserve(self, documents):
        for part in self.parts:
            part.reserve(documents)

    @rule(parts=st.integers(1, 5))
    def restore(self, parts):
        """From snapshots, into another number of parts."""
        taken = [part.snapshot() for part in self.parts]
        whole = {name: np.concatenate([one[name] for one in taken]) for name in taken[0]}
        self.parts = [Index(part, parts) for part in range(parts)]
        for part in self.parts:
            part.fill(whole)

    @rule(keys=st.lists(KEYS, min_size=1, max_size=20))
    def lookup(self, keys):
        asked = np.array(keys, np.uint64)
        owner = owners(asked, len(self.parts))
        for number, part in enumerate(self.parts):
            mine = asked[owner == number]
            wanted = [self.model.get(int(key) >> 12, -1) for key in mine]
            assert part.lookup(mine).tolist() == wanted

    @invariant()
    def snapshots_are_the_model(self):
        taken = [part.snapshot() for part in self.parts]
        keys = [int(key) >> 12 for one in taken for key in one["keys"]]
        ordinals = [int(ordinal) for one in taken for ordinal in one["ordinals"]]
        assert dict(zip(keys, ordinals, strict=True)) == self.model
        assert len(keys) == len(self.model) == sum(part.keys for part in self.parts)
        for one in taken:
            assert np.array_equal(one["keys"], np.sort(reduced(one["keys"])))

    def _send(self, pairs):
        keys = np.array([key for key, _ in pairs], np.uint64)
        ordinals = np.array([ordinal for _, ordinal in pairs], np.int64)
        owner = owners(keys, len(self.parts))
        for number, part in enumerate(self.parts):
            part.insert(keys[owner == number], ordinals[owner == number])


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(stateful_step_count=25)
