# Missing data: dropout by glm, auxiliary variables by semTools and lavaan, Rubin's rules and imputations by mice.
# Usage: Rscript missing.R FOLDER_OF_REFERENCE_DATA > missing.json
suppressPackageStartupMessages({library(mice); library(lavaan); library(semTools); library(lme4); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
wide <- read.csv(file.path(folder, "A08_gpa_missing_wide.csv"))
y <- paste0("gpa_", 0:5); h <- paste0("lib_hours_", 0:5)
values <- as.matrix(wide[y])

# Dropout after occasion t on the outcome at t, standardised there, beside a constant of each occasion.
last <- apply(!is.na(values), 1, function(s) if (any(s)) max(which(s)) else 0)
rows <- do.call(rbind, lapply(1:5, function(t) {
  at <- !is.na(values[, t])
  data.frame(t = t, z = as.numeric(scale(values[at, t])), gone = as.numeric(last[at] == t))
}))
g <- glm(gone ~ 0 + factor(t) + z, binomial, rows, control = glm.control(epsilon = 1e-14, maxit = 100))
dropout <- c(as.list(coef(summary(g))["z", ]), list(n_at_risk = nrow(rows), n_dropouts = sum(rows$gone)))
names(dropout)[1:4] <- c("coefficient", "std_error", "statistic", "p_value")

# Saturated correlates.
growth_text <- paste0("i =~ ", paste0("1*", y, collapse = " + "), "\ns =~ ", paste0(0:5, "*", y, collapse = " + "),
  "\n", paste0(y, " ~~ v*", y, collapse = "\n"))
table <- function(fit, names) {
  p <- parameterEstimates(fit)
  p <- p[paste0(p$lhs, p$op, p$rhs) %in% names, ]
  list(estimate = as.list(setNames(p$est, paste0(p$lhs, p$op, p$rhs))), std_error = as.list(setNames(p$se, paste0(p$lhs, p$op, p$rhs))))
}
growth_names <- c("i~1", "s~1", "i~~i", "s~~s", "i~~s", "gpa_0~~gpa_0", "i~sexmale", "s~sexmale")
auxiliary <- list(
  unconditional = table(growth.auxiliary(growth_text, data = wide, aux = h, information = "observed"), growth_names),
  conditional = table(growth.auxiliary(paste(growth_text, "i ~ sexmale\ns ~ sexmale\nsexmale ~ 1", sep = "\n"),
    data = wide, aux = h[c(1, 6)], information = "observed", fixed.x = FALSE), growth_names)
)

# Rubin's rules: data completed by a rule that can be followed anywhere.
m <- 5
filled <- function(k) {
  made <- values[last > 0, ]
  rownames(made) <- NULL
  for (t in 1:6) for (i in which(is.na(made[, t])))
    made[i, t] <- mean(values[, t], na.rm = TRUE) + sd(values[, t], na.rm = TRUE) * sin(7 * i + 3 * t + 11 * k)
  made
}
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-13, ftol_abs = 1e-14, maxeval = 1e5))
long_fit <- function(made) {
  d <- data.frame(id = rep(seq_len(nrow(made)), 6), t = rep(0:5, each = nrow(made)), y = as.vector(made))
  lmer(y ~ t + (t | id), d, REML = FALSE, control = tight)
}
pooled <- function(fits, n) {
  Q <- t(sapply(fits, fixef)); U <- t(sapply(fits, function(f) diag(as.matrix(vcov(f)))))
  found <- lapply(setNames(1:2, colnames(Q)), function(j) pool.scalar(Q[, j], U[, j], n = n, k = 2)[c("qbar", "ubar", "b", "t", "df", "r", "fmi")])
  list(estimates = as.list(as.data.frame(Q)), pooled = found)
}
completed <- lapply(1:m, filled)
rubin <- pooled(lapply(completed, long_fit), sum(last > 0))
regressions <- lapply(completed, function(made) lm(gpa_5 ~ gpa_0 + gpa_1, as.data.frame(made)))
lines <- summary(pool(regressions), type = "all")
coefficients <- t(sapply(regressions, coef)); errors <- t(sapply(regressions, function(f) sqrt(diag(vcov(f)))))
rubin_lm <- list(coefficients = unname(coefficients), errors = unname(errors), dfcom = df.residual(regressions[[1]]),
  pooled = as.list(lines[c("estimate", "std.error", "df", "riv", "lambda", "fmi", "ubar", "b", "t")]))

# Multiple imputation by mice's Bayesian regressions, many times.
im <- mice(as.data.frame(values[last > 0, ]), m = 100, method = "norm", maxit = 20, seed = 1, printFlag = FALSE)
imputation <- pooled(lapply(1:100, function(k) long_fit(as.matrix(complete(im, k)))), sum(last > 0))$pooled

out <- list(dropout = dropout, auxiliary = auxiliary, rubin = rubin, rubin_lm = rubin_lm, imputation = imputation,
  versions = c(list(R = R.version.string), sapply(c("mice", "lavaan", "semTools", "lme4"), function(p) as.character(packageVersion(p)), simplify = FALSE)))
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
