"""gc beside a live writer, a zombie and a reader, in any interleaving of their single steps."""

from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from seedcorn.core.errors import Fenced
from seedcorn.core.identity import sha256_hex
from seedcorn.core.log.entries import BatchCommitted, GenerationStarted, ObjectRef, WriterOpened
from seedcorn.core.log.layout import SegmentName, ShardName
from seedcorn.core.log.state import CorpusState
from seedcorn.storage.log.garbage import collect, collect_checkpoints, unproven
from seedcorn.storage.log.log import LogReader, LogWriter, open_writer
from seedcorn.storage.stores.memory import MemoryStore

NUMBERS = count()
BATCHES, UNITS = 4, 3
RECIPE = {"samples": BATCHES * UNITS * 2, "units": {"unit": 2, "ahead": 1}}


def entry_of(batch, ref):
    first = batch * UNITS
    return BatchCommitted(
        generation=1,
        batch=batch,
        first_unit=first,
        last_unit=first + UNITS - 1,
        first_index=first * 2,
        last_index=(first + UNITS) * 2 - 1,
        ordinal=batch,
        counts={"accepted": 1},
        reasons={},
        strata={},
        tokens={},
        data=[ref],
        dropped=[],
        sketch=None,
        sketch_rate=1.0,
        engine_seconds=0.0,
    )


def shard(store, batch, data):
    first, sha256 = batch * UNITS, sha256_hex(data)
    key = ShardName("data", 1, first, first + UNITS - 1, sha256[:16]).key
    store.put(key, data)
    return ObjectRef(key, len(data), sha256, 1)


class World:
    """One corpus, and what must hold after every single step."""

    def __init__(self):
        self.store = MemoryStore(f"garbage-{next(NUMBERS)}")
        self.state = CorpusState()
        self.staged = set()

    def opened(self, name):
        reader, state = LogReader(self.store, readers=1), CorpusState()
        for entry in reader:
            state.apply(entry)
        writer = open_writer(
            self.store, reader.head, name, WriterOpened(name, 1, "v"), lambda: 0.0, state.apply
        )
        return writer, state

    def writer(self, name):
        """Opens, then stages, writes and commits batch after batch; a step at a time."""
        log, state = self.opened(name)
        if not state.generations:
            state.apply(log.append(GenerationStarted(1, RECIPE, "f", "s", {})))
        yield
        while state.generations[1].batches < BATCHES:
            try:
                yield from self._batch(log, state, name)
            except Fenced:
                return

    def _batch(self, log: LogWriter, state, name):
        batch = state.generations[1].batches
        for unit in range(batch * UNITS, batch * UNITS + UNITS):
            key = SegmentName(1, unit, sha256_hex(f"{name} {unit}".encode())[:16]).key
            self.store.put(key, b"x")
            self.staged.add((unit, key))
            yield
        ref = shard(self.store, batch, f"{name} {batch}".encode())
        yield
        state.apply(log.append(entry_of(batch, ref)))
        yield

    def collector(self):
        """The command's own order: read the log, then list, then delete."""
        while True:
            entries, state = list(LogReader(self.store, readers=1)), CorpusState()
            for entry in entries:
                state.apply(entry)
            yield
            before = {info.key for info in self.store.list("")}
            told = collect(self.store, state, dry=True)
            assert {info.key for info in self.store.list("")} == before
            yield
            for key in told:
                self.store.delete(key)
                yield
            collect(self.store, state)
            yield

    def holds(self):
        """Whatever the log names is there; whatever may still be sealed is there."""
        state = CorpusState()
        for entry in LogReader(self.store, readers=1):
            state.apply(entry)
        committed = state.generations[1].units if state.generations else 0
        for ref in state.generations[1].shards if state.generations else []:
            assert sha256_hex(self.store.get(ref.key)) == ref.sha256
        held = {info.key for info in self.store.list("staging/")}
        assert {key for unit, key in self.staged if unit >= committed} <= held


@given(st.lists(st.sampled_from(["old", "new", "gc", "gc2"]), min_size=20, max_size=160))
def test_gc_beside_writers_takes_nothing_that_is_or_will_be_named(order):
    world = World()
    actors = {"old": world.writer("old"), "gc": world.collector(), "gc2": world.collector()}
    for name in ["old", *order]:
        if name not in actors:
            actors[name] = world.writer(name)  # A takeover at a random moment.
        next(actors[name], None)
        world.holds()
    # Alone at last, a writer finishes whatever happened; then gc leaves exactly what is named.
    for _ in world.writer("last"):
        world.holds()
    state = CorpusState()
    for entry in LogReader(world.store, readers=1):
        state.apply(entry)
    assert state.generations[1].batches == BATCHES
    collect(world.store, state)
    left = {info.key for prefix in ("data/", "staging/") for info in world.store.list(prefix)}
    assert left == {ref.key for ref in state.generations[1].shards}


def keys_below(store, prefix):
    return {info.key.removeprefix(prefix) for info in store.list(prefix)}


def test_pieces_of_checkpoints_below_the_newest_complete_one_go_and_newer_ones_stay():
    store = MemoryStore(f"garbage-{next(NUMBERS)}")
    for sequence in (3, 5, 9):
        store.put(f"checkpoints/{sequence:010d}/manifest.json", b"{}")
    for sequence in (2, 5, 7, 9, 12):
        store.put(f"checkpoints/{sequence:010d}/index-0.npz", b"x")
    store.put("checkpoints/notes.txt", b"x")
    told = collect_checkpoints(store, dry=True)
    assert told == collect_checkpoints(store)
    assert keys_below(store, "checkpoints/") == {
        "0000000005/manifest.json",
        "0000000005/index-0.npz",
        "0000000009/manifest.json",
        "0000000009/index-0.npz",
        "0000000012/index-0.npz",
        "notes.txt",
    }


def test_what_nothing_names_and_nothing_proves_dead_is_told(store):
    entries = list(LogReader(store))
    assert unproven(store, entries) == {}
    for key in ("sketches/0123456789abcdef.parquet", "measurements/audit-x.json", "probe-1/2/x"):
        store.put(key, b"x")
    assert unproven(store, entries) == {"sketches/": 1, "measurements/": 1, "probe-1/2/": 1}
