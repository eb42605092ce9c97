"""One file a vector store: pure functions from its searches to the record of an operation."""
