"""What went wrong, of which kind, in which groups, since when."""
