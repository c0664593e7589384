"""A stub server for the SelfCommunity Course API: the contract of openapi/ served with real behaviour."""

__version__ = "0.1.0"
