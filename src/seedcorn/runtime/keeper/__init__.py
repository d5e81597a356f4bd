"""Index, history and containment in step with the log, and batches sealed with them."""
