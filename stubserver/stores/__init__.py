"""Stores, which keep worlds outside of a process: their interface, SQLite and Redis. They know names and bytes only."""
