"""Views and queries that people keep."""
