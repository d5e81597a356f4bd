"""The line without Ray: workers and keeper in the driver's own process, behind the same ports."""
