"""What is due next, decided from log and recipe: growth, stop rule, ranking of strata."""
