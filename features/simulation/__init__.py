"""A kabupaten that does not exist: registers as a district would hand them over, and apart from them the truth."""
