"""Every decision of seedcorn, as plain functions of plain values: no Ray, no Arrow, no I/O, no clock."""
