"""Checking another server: the same steps go to it and to a server of our own in this process, the model."""
