"""What goes wrong where many share one session: every order of events, and hours of faults."""
