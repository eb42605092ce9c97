"""Two sets of calls side by side, with how sure one can be."""
