"""The fault campaigns, one after the other, each with its table: `python -m tests.faults`."""

import argparse
import importlib
import time

CAMPAIGNS = {
    "simulation": ["--schedules", "30000", "--mutants", "500", "--jobs", "2"],
    "processes": [],
    "cluster": [],
}
"""Every campaign is a package with a `campaign.main`; this is what it is told."""


def main() -> int:
    """1 if anything was lost, doubled, unequal or without a name."""
    parser = argparse.ArgumentParser("python -m tests.faults", description=__doc__)
    parser.add_argument("--only", choices=CAMPAIGNS, action="append", help="repeatable")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    good = True
    for name in arguments.only or CAMPAIGNS:
        began = time.monotonic()
        campaign = importlib.import_module(f"tests.faults.{name}.campaign")
        good &= campaign.main([*CAMPAIGNS[name], "--seed", str(arguments.seed)]) == 0
        minutes = (time.monotonic() - began) / 60
        # The tables are the product of this program, as a test's verdict is of pytest's.
        print(f"{name}: {minutes:.1f} minutes, {'all' if good else 'NOT all'} as it must be\n")  # noqa: T201
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
