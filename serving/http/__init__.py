"""What HTTP itself asks of a service, around every route."""
