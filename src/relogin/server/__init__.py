"""The server's room: one gate that decides, and a thin translation for each framework."""
