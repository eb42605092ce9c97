"""The HTTP face of the dashboards: operations, their document, and the page itself."""
