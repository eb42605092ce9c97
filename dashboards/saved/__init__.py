"""Views that people keep."""
