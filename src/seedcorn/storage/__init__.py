"""Where bytes live: stores, the log, seeds, shards. Arrow and fsspec are known here only."""
