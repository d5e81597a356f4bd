"""`python -m tests.faults.simulation`: the campaign."""

import sys

from tests.faults.simulation.campaign import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
