# Coefficients standardised by level ("pseudo") by effectsize, and the growth curve's std.all by lavaan.
# Usage: Rscript standardized.R FOLDER_OF_REFERENCE_DATA > standardized.json
suppressPackageStartupMessages({library(lme4); library(effectsize); library(lavaan); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
gpa <- read.csv(file.path(folder, "A_gpa_long.csv"))
wide <- read.csv(file.path(folder, "A_gpa_wide.csv"))
missing <- na.omit(read.csv(file.path(folder, "A08_gpa_missing_long.csv"))[c("student", "occasion", "sexmale", "gpa")])
sleep <- read.csv(file.path(folder, "B_sleepstudy_long.csv"))
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 1e5))
one <- function(formula, data, REML) {
  # effectsize fits the model again without its predictors, and looks its data up by name.
  d <<- data
  fit <- eval(bquote(lmer(.(formula), data = d, REML = .(REML), control = tight)), globalenv())
  found <- suppressWarnings(standardize_parameters(fit, method = "pseudo", ci = NULL))
  info <- suppressWarnings(standardize_info(fit, include_pseudo = TRUE))
  list(estimate = as.list(setNames(found$Std_Coefficient, found$Parameter)),
       outcome = as.list(setNames(info$Deviation_Response_Pseudo, info$Parameter)))
}
intercept <- "i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2 + 1*gpa_3 + 1*gpa_4 + 1*gpa_5\ni ~ sexmale\n"
same <- paste0("gpa_", 0:5, " ~~ v*gpa_", 0:5, collapse = "\n")
# The means of the outcomes are equal, as in the mixed model: growth() frees the factor's alone.
curve <- standardizedSolution(growth(paste0(intercept, same), wide, control = list(rel.tol = 1e-10)))
out <- list(
  slope = one(gpa ~ occasion * sexmale + (occasion | student), gpa, TRUE),
  tvc = one(gpa ~ occasion + sexmale + lib_hours + (1 | student), gpa, FALSE),
  missing = one(gpa ~ occasion * sexmale + (occasion | student), missing, TRUE),
  sleep = one(Reaction ~ Days + (Days | Subject), sleep, TRUE),
  between = one(gpa ~ sexmale + (1 | student), gpa, FALSE),
  curve = curve$est.std[curve$lhs == "i" & curve$op == "~"],
  versions = list(R = R.version.string, effectsize = as.character(packageVersion("effectsize")),
    lme4 = as.character(packageVersion("lme4")), lavaan = as.character(packageVersion("lavaan")))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
