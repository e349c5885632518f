"""A list as a file for the field: CSV, XLSX and PDF, with the very lines that paging shows."""
