"""Seed documents: found, converted, catalogued, read at random."""
