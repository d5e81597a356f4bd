"""What several commands print: tables, live views, progress."""
