"""Boards for Grafana, made of the same questions as our pages."""
