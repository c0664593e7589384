"""What a journal has, in the formats of other tools."""
