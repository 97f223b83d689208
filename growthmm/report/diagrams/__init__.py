"""Path diagrams: where everything stands, drawn and in words."""
