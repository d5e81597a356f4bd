"""What runs beside an engine: writing units, measuring a generation."""
