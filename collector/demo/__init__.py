"""The demonstration: a local provider, a small existing application, and two weeks of back-dated calls."""
