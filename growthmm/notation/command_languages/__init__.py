"""What SAS, SPSS and Stata share: words, effects, names, computed columns."""
