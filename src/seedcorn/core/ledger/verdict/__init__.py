"""Whether a generation was worth its engine-hours: the rule, and what of a row it goes by."""
