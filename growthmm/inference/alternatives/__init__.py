"""The same question by other estimators: fixed effects, pooled regression, estimating equations."""
