"""What several notations cannot say."""
