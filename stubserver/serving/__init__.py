"""A server around the application: a socket, a thread, or neither."""
