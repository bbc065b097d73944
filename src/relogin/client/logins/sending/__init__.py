"""How the requests of a login are sent, and what it means that one was not answered."""
