"""The log: its entries, what they add up to, the names of objects, what may be deleted."""
