"""glmmTMB: calls, read and written."""
