"""What each generation added, folded from the log: accounts, rows, document, words."""
