"""Fixtures made for people: generated from a seed, or written down from a world."""
