"""growthmm: growth models as mixed models and as structural equation models."""

__version__ = "0.1.0"
