"""Stores of whole objects: local, S3, any fsspec filesystem, simulated."""
