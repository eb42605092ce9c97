"""What changed in the traffic, how surely, and which part of it carries the change."""
