"""What the API does: operations, views, and the rules that they share. Knows no HTTP and no Connexion."""
