"""statsmodels: mixedlm() in Python, read and written."""
