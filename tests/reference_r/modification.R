# Modification indices by lavaan.
# Usage: Rscript modification.R FOLDER_OF_REFERENCE_DATA > modification.json
suppressPackageStartupMessages({library(lavaan); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
wide <- read.csv(file.path(folder, "A_gpa_wide.csv"))
missing <- read.csv(file.path(folder, "A08_gpa_missing_wide.csv"))
load <- '
  i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2 + 1*gpa_3 + 1*gpa_4 + 1*gpa_5
  s =~ 0*gpa_0 + 1*gpa_1 + 2*gpa_2 + 3*gpa_3 + 4*gpa_4 + 5*gpa_5
'
equal <- paste0(load, paste0("gpa_", 0:5, " ~~ v*gpa_", 0:5, collapse = "\n"))
sex <- paste(load, "i ~ sexmale\n s ~ 0*sexmale\n i ~~ 0*s")
table_of <- function(fit) {
  m <- modindices(fit, na.remove = TRUE)
  setNames(lapply(seq_len(nrow(m)), function(k) list(mi = m$mi[k], epc = m$epc[k])),
    paste0(m$lhs, m$op, m$rhs))
}
out <- list(
  free = table_of(growth(load, wide)),
  equal = table_of(growth(equal, wide)),
  sex = table_of(growth(sex, wide)),
  missing = table_of(growth(load, missing, missing = "ml")),
  versions = list(R = R.version.string, lavaan = as.character(packageVersion("lavaan")))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
