"""One adapter a framework: who runs workflows, agents, tools and searches around model calls."""
