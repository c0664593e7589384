"""How the handles for tests and tools reach a server, whatever a test replaces, freezes or blocks."""
