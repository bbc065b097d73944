"""The small words that every room of the client shares."""
