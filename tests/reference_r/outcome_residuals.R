# Parallel processes whose residuals covary at one occasion: nlme on stacked rows (one matrix at all
# occasions, ML and REML), lavaan on wide rows (one matrix, and one at each occasion); complete, and
# with every seventh stacked row left out.
# Usage: Rscript outcome_residuals.R FOLDER_OF_REFERENCE_DATA > outcome_residuals.json
suppressPackageStartupMessages({library(nlme); library(lavaan); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
rows <- read.csv(file.path(folder, "G_parallel_stacked.csv"))
control <- lmeControl(opt = "optim", maxIter = 500, msMaxIter = 1000, reltol = 1e-14, msTol = 1e-12)
stacked <- function(data, method) {
  fit <- lme(y ~ 0 + proc + proc:time, random = ~ 0 + proc + proc:time | id, data = data,
             correlation = corSymm(form = ~ as.integer(factor(proc)) | id/time),
             weights = varIdent(form = ~ 1 | proc), method = method, control = control)
  sd <- fit$sigma * c(1, coef(fit$modelStruct$varStruct, unconstrained = FALSE))
  rho <- coef(fit$modelStruct$corStruct, unconstrained = FALSE)
  list(log_likelihood = as.numeric(logLik(fit)), fixed = as.list(fixef(fit)),
       std_error = as.list(sqrt(diag(vcov(fit)))),
       residual = list(A = sd[[1]]^2, AB = rho[[1]] * sd[[1]] * sd[[2]], B = sd[[2]]^2))
}
process <- function(p) c(paste0("i", p, " =~ ", paste0("1*", p, "_", 0:4, collapse = " + ")),
                         paste0("s", p, " =~ ", paste0(0:4, "*", p, "_", 0:4, collapse = " + ")))
growth_lines <- c(process("A"), process("B"))
one <- c(growth_lines, paste0("A_", 0:4, " ~~ va*A_", 0:4), paste0("B_", 0:4, " ~~ vb*B_", 0:4),
         paste0("A_", 0:4, " ~~ c*B_", 0:4))
each <- c(growth_lines, paste0("A_", 0:4, " ~~ B_", 0:4))
curve <- function(data, lines) {
  data$column <- paste0(data$proc, "_", data$time)
  wide <- reshape(data[c("id", "column", "y")], idvar = "id", timevar = "column", direction = "wide")
  names(wide) <- sub("^y\\.", "", names(wide))
  fit <- growth(paste(lines, collapse = "\n"), wide, missing = "ml", information = "expected")
  found <- parameterEstimates(fit)
  found <- found[found$se > 0, ]
  name <- paste0(found$lhs, found$op, found$rhs)
  list(log_likelihood = as.numeric(logLik(fit)),
       estimates = as.list(setNames(found$est, name)), std_error = as.list(setNames(found$se, name)))
}
gaps <- rows[seq_len(nrow(rows)) %% 7 != 0, ]
made <- list(
  complete = list(ml = stacked(rows, "ML"), reml = stacked(rows, "REML"),
                  one = curve(rows, one), each = curve(rows, each)),
  gaps = list(ml = stacked(gaps, "ML"), reml = stacked(gaps, "REML"),
              one = curve(gaps, one), each = curve(gaps, each)))
made$versions <- list(R = R.version.string, nlme = as.character(packageVersion("nlme")),
                      lavaan = as.character(packageVersion("lavaan")))
cat(toJSON(made, digits = 12, auto_unbox = TRUE, pretty = 1))
