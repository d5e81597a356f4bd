"""Attacks: what an adversary tries, and the one typed outcome it ends in."""
