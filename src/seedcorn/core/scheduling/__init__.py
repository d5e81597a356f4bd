"""Who works on what: leases, quarantine, replacement of workers, following a cluster."""
