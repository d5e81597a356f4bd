"""Does a store keep what the log is built on? Asked of the store itself."""
