"""Faults below Ray: real driver processes on real stores, killed, stopped, starved and lied to.

A driver here is the production `grow` in a process of its own; only the actors' place is another
one: workers and keeper live in the driver, so that a start costs a tenth of a second.
"""
