"""Which legal answers a command does not survive: it is run again and again, each time with other variants."""
