"""The log under two writers, readers, lost requests and acknowledgements, crashes and refolds."""

from contextlib import suppress
from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from seedcorn.core.errors import Fenced, StoreError
from seedcorn.core.log.entries import Decision, WriterOpened, encode
from seedcorn.core.log.layout import log_key
from seedcorn.storage.log.log import Head, LogReader, LogWriter, open_writer
from seedcorn.storage.stores.memory import MemoryStore
from seedcorn.storage.stores.patience import Patience, Unanswered

STORES = count()
WRITERS = st.sampled_from(["a", "b"])
FAULTS = st.sampled_from(["before", "after", "before for good", "after for good"])


class Crash(Exception):
    """The process died in the middle of a request."""


class LogMachine(RuleBasedStateMachine):
    """The model is the list of entries that somebody was told are durable, and who may append."""

    @initialize()
    def start(self):
        self.name = f"log-machine-{next(STORES)}"
        self.plan = []
        self.clock = 0.0
        patience = Patience(4.0, lambda: self.clock, self._sleep, lambda: 1.0)
        self.store = MemoryStore(self.name, self._fault, patience)
        self.calm = MemoryStore(self.name)
        self.writers = {}
        self.numbers = count()
        self.durable = []
        """Bytes of entries in order, as far as an append has returned."""
        self.reader = LogReader(self.calm, readers=1)
        self.seen = []

    def _sleep(self, seconds):
        self.clock += seconds

    def _fault(self, when, operation, key):
        if self.plan and operation == "create" and key.startswith("log/"):
            kind = self.plan[0]
            if kind.startswith(when):
                if not kind.endswith("for good"):
                    self.plan.pop(0)
                raise Unanswered(f"{when} {operation}") if kind != "crash" else Crash
        if self.plan and self.plan[0] == f"crash {when}" and operation == "create":
            self.plan.clear()
            raise Crash

    @rule(who=WRITERS)
    def open(self, who):
        """A driver starts: it folds the log from where it likes and takes the next number."""
        nonce, folded = f"{who}{next(self.numbers)}", []
        head = LogReader(self.calm, readers=1)
        list(head)
        opened = WriterOpened(who, 1, "v")
        self.writers[who] = open_writer(
            self.store, head.head, nonce, opened, lambda: 1.0, folded.append
        )
        self._landed(folded[-1])
        self.newest = nonce

    @rule(who=WRITERS)
    def open_behind(self, who):
        """A newcomer whose fold is old: what it missed is folded before it owns the log."""
        nonce, folded = f"{who}{next(self.numbers)}", []
        opened = WriterOpened(who, 1, "v")
        self.writers[who] = open_writer(
            self.store, Head(), nonce, opened, lambda: 1.0, folded.append
        )
        assert [encode(entry) for entry in folded[:-1]] == self._stored()[:-1]
        self._landed(folded[-1])
        self.newest = nonce

    @precondition(lambda self: self.writers)
    @rule(who=WRITERS, fault=st.none() | FAULTS)
    def append(self, who, fault):
        writer = self.writers.get(who)
        if writer is None:
            return
        self.plan = [] if fault is None else [fault]
        body = Decision(1, next(self.numbers), "stop", {}, "machine")
        before = self._stored()
        try:
            entry = writer.append(body)
        except Fenced:
            assert writer._nonce != self.newest
            del self.writers[who]
            assert self._stored() == before
        except StoreError:
            # Unknown: it may stand or not, and this writer says so until somebody folds anew.
            self._refuses(writer)
            del self.writers[who]
            self.durable = self._stored()
        else:
            assert writer._nonce == self.newest
            self._landed(entry)
        finally:
            self.plan = []

    @precondition(lambda self: self.writers)
    @rule(who=WRITERS, when=st.sampled_from(["before", "after"]))
    def crash(self, who, when):
        """kill -9 in the middle of an append: the request reached the store, or it did not."""
        writer = self.writers.pop(who, None)
        if writer is None:
            return
        self.plan, before = [f"crash {when}"], self._stored()
        with suppress(Crash, Fenced):
            writer.append(Decision(1, 0, "stop", {}, "crash"))
        self.plan = []
        grown = self._stored()
        assert grown[: len(before)] == before
        assert len(grown) - len(before) in (0, 1)
        self.durable = grown

    @rule()
    def read_on(self):
        """A reader that never stopped sees what was appended since, and nothing else."""
        self.seen += [encode(entry) for entry in self.reader]
        assert self.seen == self._stored()

    @invariant()
    def nothing_durable_is_ever_lost_or_changed(self):
        if hasattr(self, "calm"):
            assert self._stored() == self.durable
            entries = list(LogReader(self.calm))
            assert [entry.sequence for entry in entries] == list(range(len(self.durable)))

    def _refuses(self, writer: LogWriter):
        try:
            writer.append(Decision(1, 0, "stop", {}, "again"))
        except (StoreError, Fenced):
            return
        raise AssertionError("a writer that does not know what stands appended again")

    def _landed(self, entry):
        self.durable.append(encode(entry))

    def _stored(self):
        keys = [info.key for info in self.calm.list("log/")]
        return [self.calm.get(log_key(number)) for number in range(len(keys))]


TestLogMachine = LogMachine.TestCase
TestLogMachine.settings = settings(stateful_step_count=30)
