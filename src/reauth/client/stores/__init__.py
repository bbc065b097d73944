"""Where grants are kept: in memory, on one machine, for a fleet."""
