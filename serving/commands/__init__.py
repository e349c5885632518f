"""Commands of `tepat` about the service."""
