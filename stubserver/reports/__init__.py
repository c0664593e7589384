"""What people are shown of the contract and of what was recorded."""
