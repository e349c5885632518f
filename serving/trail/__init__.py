"""Who saw or changed what, and why: added to, never changed, each line bound to the one before."""
