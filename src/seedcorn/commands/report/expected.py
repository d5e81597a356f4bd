"""Which forecasts the page shows: those of batches that the plan still has.

After its last batch a generation has forecast one more, which nobody will write: a row for it would
read as a miss.
"""

from typing import NamedTuple

from seedcorn.core.ledger.accounts import RUNNING
from seedcorn.core.ledger.course import Expectation
from seedcorn.core.ledger.document import Generation, LedgerDocument


class Made(NamedTuple):
    """A forecast, and the generation that it was made in."""

    row: Generation
    one: Expectation

    @property
    def unscored(self) -> str:
        """Why there is nothing to compare it with."""
        if self.one["batch"] >= len(self.row["curve"]):
            return "pending"
        return "not comparable"


def forecasts_of(document: LedgerDocument) -> list[Made]:
    """All forecasts whose batch came or will come, oldest first."""
    return [
        Made(row, one)
        for row in document["generations"]
        for one in row["forecasts"]
        if one["batch"] < len(row["curve"]) or _goes_on(row)
    ]


def _goes_on(row: Generation) -> bool:
    return row["status"] == RUNNING and row["committed"] < row["planned"]
