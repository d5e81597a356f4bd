"""Growing a corpus: driver, workers, keeper and jobs. Ray is known in `ray/` alone."""
