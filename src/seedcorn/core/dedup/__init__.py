"""Which documents are kept: the index, its witnesses, containment, decontamination, the seal."""
