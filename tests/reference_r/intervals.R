# Profile and bootstrap intervals by lme4 and boot.
# Usage: Rscript intervals.R FOLDER_OF_REFERENCE_DATA > intervals.json
suppressPackageStartupMessages({library(lme4); library(boot); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
missing <- read.csv(file.path(folder, "A08_gpa_missing_long.csv"))
few <- subset(missing, student <= 36)
sleep <- read.csv(file.path(folder, "B_sleepstudy_long.csv"))
singular <- read.csv(file.path(folder, "K_singular_long.csv"))
rows <- function(m) apply(m, 1, function(r) list(lower = unname(r[1]), upper = unname(r[2])))
profile_of <- function(formula, data) {
  fit <- lmer(formula, data, REML = FALSE)
  rows(suppressWarnings(suppressMessages(confint(fit, method = "profile", oldNames = FALSE, quiet = TRUE))))
}
fit <- lmer(Reaction ~ Days + (Days | Subject), sleep, REML = FALSE)
statistic <- function(f) {
  v <- as.data.frame(VarCorr(f))
  c(fixef(f), sd_intercept = v$sdcor[1], sd_days = v$sdcor[2], sigma = v$sdcor[4])
}
set.seed(1)
b <- suppressWarnings(suppressMessages(bootMer(fit, statistic, nsim = 1000)))
limits <- function(k, type) {
  v <- boot.ci(b, index = k, type = type)[[if (type == "perc") "percent" else "basic"]]
  list(lower = v[4], upper = v[5])
}
names_of <- names(b$t0)
out <- list(
  sleep = profile_of(Reaction ~ Days + (Days | Subject), sleep),
  few = profile_of(gpa ~ occasion * sexmale + (1 + occasion | student), few),
  uncorrelated = profile_of(gpa ~ occasion + sexmale + (1 + occasion || student), few),
  singular = profile_of(y ~ time + (1 | id) + (0 + time | id), singular),
  bootstrap_percentile = setNames(lapply(seq_along(names_of), limits, "perc"), names_of),
  bootstrap_basic = setNames(lapply(seq_along(names_of), limits, "basic"), names_of),
  bootstrap_error = as.list(apply(b$t, 2, sd) |> setNames(names_of)),
  # boot's rule for quantiles, on known draws
  rule = {
    known <- list(t0 = 0.3, t = matrix(sin(1:99)), R = 99, data = 1, sim = "ordinary", call = quote(boot()), stype = "i", weights = 1)
    class(known) <- "boot"
    list(percentile = boot.ci(known, type = "perc")$percent[4:5], basic = boot.ci(known, type = "basic")$basic[4:5])
  },
  versions = list(R = R.version.string, lme4 = as.character(packageVersion("lme4")), boot = as.character(packageVersion("boot")))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
