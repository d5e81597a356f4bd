"""The simulated processes: driver, cluster, worker and keeper, killed at any moment."""
