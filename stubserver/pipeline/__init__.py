"""The hops that each request passes, one module per hop, and what they share."""
