"""Mixed models whose loadings hold parameters, fitted by maximum likelihood."""
