"""What programs around a translated model need of the data."""
