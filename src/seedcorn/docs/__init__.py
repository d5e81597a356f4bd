"""Pages that ship with seedcorn. Every figure in their examples is recomputed by `tests/test_docs.py`."""
