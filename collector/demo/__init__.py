"""The demonstration: a local provider, a small existing application, and four weeks of back-dated calls."""
