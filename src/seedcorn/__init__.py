"""Grow synthetic text corpora on Ray and vLLM, and measure how much of each generation is new."""

__version__ = "0.1.0"
