"""OpenMx: RAM models of paths, read and written."""
