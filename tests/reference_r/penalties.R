# Penalised mixed models by blme.
# Usage: Rscript penalties.R FOLDER_OF_REFERENCE_DATA > penalties.json
suppressPackageStartupMessages({library(blme); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
missing <- read.csv(file.path(folder, "A08_gpa_missing_long.csv"))
few <- subset(missing, student <= 36)
gpa <- read.csv(file.path(folder, "A_gpa_long.csv"))
singular <- read.csv(file.path(folder, "K_singular_long.csv"))
tight <- lmerControl(optimizer = "Nelder_Mead", optCtrl = list(FtolAbs = 1e-12, FtolRel = 1e-15, XtolRel = 1e-10, maxfun = 1e5))
one <- function(formula, data, prior, REML) {
  # A local copy: blme evaluates the prior's name where the call stands.
  fit <- eval(substitute(blmer(formula, data, REML = REML, cov.prior = P, control = tight), list(P = prior)))
  v <- as.data.frame(VarCorr(fit))
  list(fixed = as.list(fixef(fit)), error = as.list(sqrt(diag(as.matrix(vcov(fit))))),
    covariance = as.list(setNames(v$vcov, paste(v$grp, v$var1, v$var2))), logLik = c(logLik(fit)))
}
out <- list(
  few_wishart = one(gpa ~ occasion * sexmale + (1 + occasion | student), few, quote(wishart), FALSE),
  few_wishart_reml = one(gpa ~ occasion * sexmale + (1 + occasion | student), few, quote(wishart), TRUE),
  singular_wishart = one(y ~ time + (time | id), singular, quote(wishart), FALSE),
  singular_wishart_reml = one(y ~ time + (time | id), singular, quote(wishart), TRUE),
  singular_gamma = one(y ~ time + (1 | id) + (0 + time | id), singular, quote(gamma), FALSE),
  gpa_gamma = one(gpa ~ occasion + (1 | student), gpa, quote(gamma), TRUE),
  versions = list(R = R.version.string, blme = as.character(packageVersion("blme")), lme4 = as.character(packageVersion("lme4")))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
