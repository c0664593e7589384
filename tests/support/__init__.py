"""What the tests share: clients, requests, rows, and what they know of the default fixture."""
