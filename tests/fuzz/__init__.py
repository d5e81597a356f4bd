"""Seeded mutation of what strangers may hand us: recipes, overrides, seed files, templates."""
