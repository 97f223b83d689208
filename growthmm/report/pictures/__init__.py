"""Pictures of results, and what they show in words."""
