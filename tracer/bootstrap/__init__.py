"""The folder that `spanward run` puts on the module path; the interpreter imports `sitecustomize` from it by itself."""
