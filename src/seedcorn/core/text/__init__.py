"""Texts in, hashes out: one normaliser, one pass, every fingerprint and shingle."""
