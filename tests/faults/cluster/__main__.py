"""`python -m tests.faults.cluster`: kill -9 on a real Ray cluster."""

import sys

from tests.faults.cluster.campaign import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
