"""What an export takes, how it is shuffled and mixed, and what it says of itself."""
