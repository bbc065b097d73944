"""The server side: one gate that decides, and a thin integration for each framework."""
