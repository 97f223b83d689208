"""SAS: PROC MIXED and PROC CALIS, read and written."""
