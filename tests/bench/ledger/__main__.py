"""`python -m tests.bench.ledger [resamples]`: every number of the ledger beside its verdict.

Real text, fakes of it, a paraphrase by people and another domain, each as one generation. With a
number of resamples, also how often the verdict is right when generations are drawn anew.
"""

import sys

from tests.bench.ledger import splits
from tests.bench.ledger.corpora import kjv, other_domain
from tests.bench.ledger.packages import Missing
from tests.bench.ledger.table import resampled, rows, say, table


def main() -> int:
    """Print the tables; what cannot be fetched is named and skipped."""
    times = int(sys.argv[1]) if sys.argv[1:] else 0
    try:
        source = kjv()
    except Missing as missing:
        sys.stdout.write(f"skipped, all of it: no {missing}\n")
        return 0
    other: list[str] = []
    try:
        other = other_domain()
    except Missing as missing:
        sys.stdout.write(f"skipped, the other domain: no {missing}\n")
    say(table(f"KJV, {len(source.seed):,} documents", rows(source, other)))
    say(splits.report(source))
    if times:
        sys.stdout.write(f"verdicts on {times} generations of each kind\n")
        say(resampled(source, other, times))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
