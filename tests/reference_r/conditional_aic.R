# Conditional AIC by cAIC4 (Greven & Kneib 2010), its analytic form.
# Usage: Rscript conditional_aic.R FOLDER_OF_REFERENCE_DATA > conditional_aic.json
suppressPackageStartupMessages({library(lme4); library(cAIC4); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
gpa <- read.csv(file.path(folder, "A_gpa_long.csv"))
missing <- read.csv(file.path(folder, "A08_gpa_missing_long.csv"))
sleep <- read.csv(file.path(folder, "B_sleepstudy_long.csv"))
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, xtol_rel = 1e-12, ftol_rel = 1e-14, maxeval = 1e5))
one <- function(formula, data) {
  made <- list()
  for (reml in c(FALSE, TRUE)) {
    fit <- lmer(formula, data, REML = reml, control = tight)
    found <- cAIC(fit, method = "steinian", analytic = TRUE)
    made[[if (reml) "reml" else "ml"]] <- list(
      log_likelihood = found$loglikelihood, df = found$df, caic = found$caic)
  }
  made
}
out <- list(
  intercept = one(gpa ~ occasion + (1 | student), gpa),
  slope = one(gpa ~ occasion + (1 + occasion | student), subset(gpa, student <= 60)),
  missing = one(gpa ~ occasion + (1 + occasion | student), subset(missing, student <= 80)),
  sleep = one(Reaction ~ Days + (Days | Subject), sleep),
  uncorrelated = one(Reaction ~ Days + (Days || Subject), sleep),
  versions = list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")),
                  cAIC4 = as.character(packageVersion("cAIC4"))))
cat(toJSON(out, digits = 15, auto_unbox = TRUE, pretty = TRUE), "\n")
