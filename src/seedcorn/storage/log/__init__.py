"""The log on the store, who may write it, and how its folds are read and resumed."""
