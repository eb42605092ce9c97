"""A small tagger of names, places and addresses that runs on numpy alone."""
