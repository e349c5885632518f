"""Deciding whom to visit first."""
