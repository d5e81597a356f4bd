"""Every error seedcorn raises on purpose.

A message names what was wrong, where, and what to do about it. `exit_code` is what the command
line returns. A failed *sample* is data (`outcome = failed`) and is never raised; a failed *write*
is raised and stops the commit.
"""

INTERRUPTED = 130
"""Exit code after Ctrl-C, whether what was in flight could be finished or not: 128 + SIGINT."""
BROKEN_PIPE = 141
"""Exit code when the reader of our output went away: 128 + SIGPIPE."""


class SeedcornError(Exception):
    """Base of all errors with a message meant for a person."""

    exit_code = 1


class RecipeError(SeedcornError):
    """A recipe that cannot be run: unknown key, wrong type, impossible number, missing file."""

    exit_code = 2


class SeedError(SeedcornError):
    """A seed dataset that cannot be read as the recipe describes it."""

    exit_code = 2


class StoreError(SeedcornError):
    """An object store refused or did not answer; what was being written is not durable."""


class ObjectMissing(StoreError):
    """No object under this key."""


class StoreUnsafe(StoreError):
    """The store cannot keep a promise the log needs, such as put-if-absent."""


NEWER = "use the seedcorn version that wrote it, or a newer one"
"""What to do about a FormatError."""


class FormatError(SeedcornError):
    """A log entry, shard or checkpoint of a format version this code does not know."""


class CorruptCorpus(SeedcornError):
    """What the store holds contradicts the log. Names the first thing that is wrong."""


class Fenced(SeedcornError):
    """Another writer appended to the log; this process must stop. Nothing committed is lost."""


class CorpusBusy(SeedcornError):
    """Another live writer holds the corpus. Exit code 75 is EX_TEMPFAIL: try again later."""

    exit_code = 75


class EngineError(SeedcornError):
    """Base of everything an engine can raise."""


class EngineUnavailable(EngineError):
    """The engine cannot start here: missing package, unsupported version, missing model."""

    exit_code = 2


class EngineUnreachable(EngineUnavailable):
    """What the engine needs does not answer just now, such as an endpoint that restarts: tried
    again a few times before the run ends."""


class EngineDead(EngineError):
    """The engine died; its process must be replaced. Requests in flight have no outcome yet."""


class RequestRefused(EngineError):
    """The engine refused one request (too long, bad parameters): the sample fails, others go on."""


class RunStopped(SeedcornError):
    """The run gave up: the same failure on every worker, or a stage that cannot go on."""


class Exhausted(SeedcornError):
    """The machine has no descriptors, disk or memory left; nothing committed or staged is lost."""
