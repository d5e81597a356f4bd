"""What the ledger says of real text and of fakes of it: `python -m tests.bench.ledger`."""
