"""Hash samples of shingles: what a batch adds, and everything the corpus has held."""
