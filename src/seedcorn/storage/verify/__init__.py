"""Re-reading a corpus and holding it against its log."""
