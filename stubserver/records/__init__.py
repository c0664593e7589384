"""What is recorded of requests: the journal, the coverage and the access log."""
