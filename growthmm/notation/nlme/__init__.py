"""nlme: lme(), gls() and nlme(), read and written."""
