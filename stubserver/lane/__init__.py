"""The fast lane: requests that are sure to succeed skip the stack."""
