"""State: tables over a fixture, the clock, worlds, and where they are kept."""
