"""The same ledger for other corpora: comparisons, foreign text, audits."""
