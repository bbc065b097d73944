"""A login that gets its tokens from an OAuth 2.0 token endpoint (RFC 6749), and revokes them."""
