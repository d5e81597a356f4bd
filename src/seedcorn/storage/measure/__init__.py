"""Reading corpora and foreign text for comparisons and audits."""
