"""One fit by many optimisers, and from many starts."""
