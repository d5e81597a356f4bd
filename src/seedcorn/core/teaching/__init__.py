"""What a text teaches about real text that nobody trained on, and what that is worth."""
