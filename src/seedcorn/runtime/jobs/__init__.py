"""Runs somewhere else: submissions to a cluster, their files and logs, and telling somebody."""
