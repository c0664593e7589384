"""What people open in a browser beside the API."""
