"""Text whose truth is known: the simulated engine's writer, and sources with exact answers."""
