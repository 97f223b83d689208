"""R's programs as live witnesses, through ``Rscript``; absent R is a clear message."""

from growthmm.engines.r.glmmtmb import fit_glmmtmb
from growthmm.engines.r.lavaan import fit_lavaan
from growthmm.engines.r.mixed import fit_lme4, fit_nlme
from growthmm.engines.r.openmx import fit_openmx
from growthmm.engines.r.process import available

__all__ = ["available", "fit_glmmtmb", "fit_lavaan", "fit_lme4", "fit_nlme", "fit_openmx"]
