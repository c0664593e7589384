"""What the tests share: clients, requests, rows, and facts about the default fixture."""
