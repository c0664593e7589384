"""What the pytest plugin does for the tests of a run: checks options, gives out worlds, reports failures."""
