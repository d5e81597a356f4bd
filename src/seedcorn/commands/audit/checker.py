"""A trusted program as an auditor: one line in on stdin, one exit code out.

Invariant: only an exit code of 0 or 1 is a verdict. A program that is missing, killed or broken
stops the audit; it never makes a document wrong.
"""

import shlex
import subprocess

from seedcorn.core.measure.audits import AuditError

RIGHT, WRONG = 0, 1
_TRACEBACK = b"Traceback (most recent call last)"
"""Python exits with 1 after an exception too, and that is no verdict."""


class Checker:
    """Runs one command per document, without a shell."""

    def __init__(self, command: str) -> None:
        """Raises AuditError where the command has no words or cannot be split into them."""
        self._command = command
        try:
            self._words = shlex.split(command)
        except ValueError as error:
            raise AuditError(f"--checker {command!r}: {error}") from error
        if not self._words:
            raise AuditError("--checker is empty; give a command")

    def __call__(self, name: str, line: str) -> bool:
        """The verdict on the sample called `name`; `line` is what the program reads."""
        try:
            done = subprocess.run(
                self._words,
                input=f"{line}\n".encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                check=False,
            )
        except OSError as error:
            raise AuditError(
                f"checker {self._command!r} cannot be run: {error.strerror}"
            ) from error
        if done.returncode not in (RIGHT, WRONG) or _TRACEBACK in done.stderr:
            output = done.stderr.decode("utf-8", "replace").strip().splitlines()
            because = f": {output[-1]}" if output else ""
            raise AuditError(
                f"checker {self._command!r} gave no verdict on sample {name}: exit code "
                f"{done.returncode}{because}; 0 is right, 1 is wrong, nothing was logged"
            )
        return done.returncode == RIGHT
