"""The questions people ask of the store, the API that answers them, and the web page."""
