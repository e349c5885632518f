"""Processes that score, forked from one that holds the model: they share its memory."""
