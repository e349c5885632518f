"""Learning a risk from past facts, and measuring how well it was learned."""
