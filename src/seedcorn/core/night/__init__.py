"""One generation a night: which night it is, what it added against the nights before."""
