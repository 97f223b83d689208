"""semopy: descriptions, read and written."""
