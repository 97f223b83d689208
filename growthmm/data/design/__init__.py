"""Design columns: bound to data once, evaluated on any."""
