"""Benchmarks: `python -m tests.bench` runs all of them, each module runs alone."""
