"""What each request passes, one module per hop, and what the hops share."""
