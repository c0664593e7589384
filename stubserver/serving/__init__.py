"""Serving the application: on a socket, in a thread, or in process without either."""
