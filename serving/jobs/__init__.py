"""Scoring of whole registers, in the background."""
