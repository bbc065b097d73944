"""What httpx needs beyond the flow: bodies, draining, waiting in threads and in tasks."""
