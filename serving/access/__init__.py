"""Who asks, what they may do, and where they may look."""
