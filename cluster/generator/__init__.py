"""Makes every file of `cluster/` that a machine reads, from the one `settings.yaml`."""
