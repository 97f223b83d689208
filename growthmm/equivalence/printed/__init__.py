"""What another program printed, held against our own fit."""
