"""One file a provider library: pure functions from its requests and responses to the typed record."""
