"""Writing an export: rows in plan order in, shuffled shards out."""
