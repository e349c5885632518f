"""One call each into targeting or the store; no arithmetic."""
