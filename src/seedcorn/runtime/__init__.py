"""The only place that knows Ray: thin actors around the decisions in the core."""
