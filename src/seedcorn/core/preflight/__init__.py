"""What must hold before anything starts, and what a run will cost."""
