"""How the same recipe runs on a cluster, and every night. `README.md` is the runbook."""
