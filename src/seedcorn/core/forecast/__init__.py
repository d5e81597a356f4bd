"""What the next samples would add, and how earlier forecasts did."""
