"""The pages that people open in a browser, besides the API."""
