"""A login by the form of a page: what the page asks for, and what a browser would send."""
