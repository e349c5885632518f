"""The doors: the command line; HTTP and the page come next."""
