"""What the drivers share: how a flow is stepped, and how a grant looks in header fields."""
