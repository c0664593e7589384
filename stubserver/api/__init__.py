"""What the API does: operations, views, and the rules they share. Independent of HTTP and Connexion."""
