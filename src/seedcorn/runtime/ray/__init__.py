"""The only place that imports Ray: actors, placement, metrics, the session."""
