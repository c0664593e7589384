"""The hops of a request, from the outside in: one list that builds the stack and that the fast lane follows."""

HOPS = (
    "recorder",
    "cors",
    "wire",
    "faults",
    "refusals",
    "docs",
    "routing",
    "authentication",
    "admission",
    "validation",
    "dispatch",
)
"""Each is a module of this package, but for `docs` and `routing`, which are Connexion's alone."""
