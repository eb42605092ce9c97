"""What an operator sets from the page."""
