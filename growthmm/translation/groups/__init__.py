"""Groups of persons with parameters of their own."""
