"""Samples as Parquet: segments, batches, shards, parents."""
