"""The page that planners open: what each address shows, in words of their language. No arithmetic of its own."""
