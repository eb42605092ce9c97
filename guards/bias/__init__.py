"""Counterfactual audit of a model function: the same request for different groups, and what differs in the answers."""
