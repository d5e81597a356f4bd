"""What a count of new shingles cannot see: novelty, order, diversity, what text teaches."""
