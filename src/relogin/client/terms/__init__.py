"""Types and functions that all parts of the client share."""
