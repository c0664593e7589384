"""The hops of a request, from the outside in. This one list builds the stack, and the fast lane follows it."""

HOPS = (
    "recorder",
    "cors",
    "wire",
    "faults",
    "turn",
    "refusals",
    "docs",
    "routing",
    "authentication",
    "admission",
    "validation",
    "dispatch",
)
"""Each is a module of this package, except `docs` and `routing`, which are entirely Connexion's."""
