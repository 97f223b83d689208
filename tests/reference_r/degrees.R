# Degrees of freedom by lmerTest and pbkrtest, sandwiches by clubSandwich.
# Usage: Rscript degrees.R FOLDER_OF_REFERENCE_DATA > degrees.json
suppressPackageStartupMessages({library(lmerTest); library(pbkrtest); library(clubSandwich); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
gpa <- read.csv(file.path(folder, "A_gpa_long.csv"))
missing <- read.csv(file.path(folder, "A08_gpa_missing_long.csv"))
sleep <- read.csv(file.path(folder, "B_sleepstudy_long.csv"))
unbalanced <- read.csv(file.path(folder, "E02_unbalanced_long.csv"))
few <- subset(missing, student <= 12 * 3)
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 1e5))
one <- function(formula, data) {
  fit <- lmer(formula, data, REML = TRUE, control = tight)
  ml <- lmer(formula, data, REML = FALSE, control = tight)
  p <- length(fixef(fit))
  L <- diag(p)[-1, , drop = FALSE]
  table <- function(m) apply(m, 1, as.list)
  f_satterthwaite <- contestMD(fit, L)
  f_kr <- contestMD(fit, L, ddf = "Kenward-Roger")
  cr <- coef_test(fit, vcov = "CR2", test = "Satterthwaite")
  list(
    satterthwaite = table(coef(summary(fit))),
    satterthwaite_ml = table(coef(summary(ml))),
    kenward_roger = table(coef(summary(fit, ddf = "Kenward-Roger"))),
    f_satterthwaite = as.list(f_satterthwaite),
    f_kenward_roger = as.list(f_kr),
    cr0 = as.list(sqrt(diag(as.matrix(vcovCR(fit, type = "CR0"))))),
    cr2 = as.list(setNames(cr$SE, names(fixef(fit)))),
    cr2_df = as.list(setNames(cr$df_Satt, names(fixef(fit)))),
    cr2_ml = as.list(sqrt(diag(as.matrix(vcovCR(ml, type = "CR2")))))
  )
}
out <- list(
  sleep = one(Reaction ~ Days + (Days | Subject), sleep),
  sleep_intercept = one(Reaction ~ Days + (1 | Subject), sleep),
  missing = one(gpa ~ occasion * sexmale + (1 + occasion | student), missing),
  tvc = one(gpa ~ occasion + lib_hours + (1 + occasion | student), gpa),
  few = one(gpa ~ occasion * sexmale + (1 + occasion | student), few),
  uncorrelated = one(gpa ~ occasion + sexmale + (1 + occasion || student), few),
  unbalanced = one(y ~ time + (time | id), unbalanced),
  versions = list(R = R.version.string, lmerTest = as.character(packageVersion("lmerTest")),
    pbkrtest = as.character(packageVersion("pbkrtest")),
    clubSandwich = as.character(packageVersion("clubSandwich")), lme4 = as.character(packageVersion("lme4")))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
