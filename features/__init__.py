"""Facts about a household, a mother and a child, as known on one date."""
