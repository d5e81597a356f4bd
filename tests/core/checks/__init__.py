"""Tests of checks that need more than a line in `test_checks.py`."""
