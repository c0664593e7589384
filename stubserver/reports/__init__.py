"""Reports for people, on the contract and on what was recorded."""
