"""`python -m tests.faults.processes`."""

from tests.faults.processes.campaign import main

if __name__ == "__main__":
    raise SystemExit(main())
