"""What is remembered of requests: the journal, the coverage, the access log."""
