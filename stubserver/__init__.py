"""A stub server for the SelfCommunity Course API: serves the contract in openapi/ with real behaviour."""

__version__ = "0.1.0"
