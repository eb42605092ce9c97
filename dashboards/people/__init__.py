"""Sessions and users: who called, in what order, at what cost."""
