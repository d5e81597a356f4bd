"""Hold-out: which documents of the seed are kept back, so that it can be measured what is learnt."""
