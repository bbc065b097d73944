"""What requests needs beyond the flow: bodies, cookies, draining, the grant on its requests."""
