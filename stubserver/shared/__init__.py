"""Worlds that several processes share: copies of what a store keeps, brought up to date and committed in turns."""
