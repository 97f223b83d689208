"""Models as frozen values: nothing here fits, reads files or looks at data."""
