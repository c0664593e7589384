"""The tests of the stub server."""
