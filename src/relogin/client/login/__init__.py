"""What the ready-made logins are made of: their steps, and how those are sent."""
