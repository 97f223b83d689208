# Sandwiches by the package sandwich: of lavaan's curves by their scores (MLR), and of least squares by person (CR0).
# Usage: Rscript sandwiches.R FOLDER_OF_REFERENCE_DATA > sandwiches.json
suppressPackageStartupMessages({library(lavaan); library(sandwich); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
gpa <- read.csv(file.path(folder, "A_gpa_long.csv"))
wide <- read.csv(file.path(folder, "A_gpa_wide.csv"))
missing <- read.csv(file.path(folder, "A08_gpa_missing_long.csv"))
growth_text <- "i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2 + 1*gpa_3 + 1*gpa_4 + 1*gpa_5
s =~ 0*gpa_0 + 1*gpa_1 + 2*gpa_2 + 3*gpa_3 + 4*gpa_4 + 5*gpa_5"
curve <- function(text) {
  fit <- growth(text, wide, information = "observed", observed.information = "hessian", control = list(rel.tol = 1e-10))
  # bread() asks vcov(), which lavaan has as an S4 method alone.
  made <- sandwich(fit, bread. = lavInspect(fit, "vcov") * nobs(fit), meat. = meat(fit))
  as.list(sqrt(diag(made)))
}
persons <- function(data) {
  fit <- lm(gpa ~ occasion * sexmale, data)
  as.list(sqrt(diag(vcovCL(fit, cluster = data$student[!is.na(data$gpa)], type = "HC0", cadjust = FALSE))))
}
nobs <- function(fit) lavInspect(fit, "nobs")
out <- list(
  curve = curve(growth_text),
  curve_sex = curve(paste0(growth_text, "\ni + s ~ sexmale")),
  persons = persons(gpa),
  persons_missing = persons(missing),
  versions = list(R = R.version.string, sandwich = as.character(packageVersion("sandwich")),
    lavaan = as.character(packageVersion("lavaan")))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
