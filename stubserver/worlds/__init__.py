"""State: tables over a fixture, clocks, worlds, and the registry that holds them."""
