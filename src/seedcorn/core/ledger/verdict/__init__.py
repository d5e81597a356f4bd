"""What is said of a generation in the end: the verdict on it, and what is left of its tokens."""
