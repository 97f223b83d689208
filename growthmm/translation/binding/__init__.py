"""Models tied to data, or to the facts given instead of data."""
