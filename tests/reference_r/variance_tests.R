# Tests of variance components: likelihoods by lme4, exact distributions by RLRsim; classical tests by lavaan.
# Usage: Rscript variance_tests.R FOLDER_OF_REFERENCE_DATA > variance_tests.json
suppressPackageStartupMessages({library(lme4); library(RLRsim); library(lavaan); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
gpa <- read.csv(file.path(folder, "A_gpa_long.csv"))
wide <- read.csv(file.path(folder, "A_gpa_wide.csv"))
missing <- read.csv(file.path(folder, "A08_gpa_missing_long.csv"))
few <- subset(missing, student <= 36)
singular <- read.csv(file.path(folder, "K_singular_long.csv"))
quantiles <- c(.5, .8, .9, .95, .99)
exact <- function(formula, X, column, group) {
  # The design of the tested effect: one column a person, its own values.
  ids <- factor(group)
  Z <- model.matrix(~ 0 + ids) * column
  set.seed(1)
  rlrt <- RLRTSim(X, Z, qr(X), diag(ncol(Z)), nsim = 100000)
  set.seed(1)
  lrt <- LRTSim(X, Z, 0, diag(ncol(Z)), nsim = 100000)
  list(rlrt = quantile(rlrt, quantiles, names = FALSE), lrt = quantile(lrt, quantiles, names = FALSE),
       rlrt_zero = mean(rlrt < 1e-10), lrt_zero = mean(lrt < 1e-10))
}
few_intercept <- lmer(gpa ~ occasion + (1 | student), few)
k_full <- lmer(y ~ time + (1 | id) + (0 + time | id), singular)
k_slope <- lmer(y ~ time + (0 + time | id), singular)
k_none <- lmer(y ~ time + (1 | id), singular)
set.seed(2)
r1 <- exactRLRT(few_intercept, nsim = 100000)
set.seed(2)
r2 <- exactRLRT(k_slope, k_full, k_none, nsim = 100000)
base <- '
  i =~ 1*gpa_0 + 1*gpa_1 + 1*gpa_2 + 1*gpa_3 + 1*gpa_4 + 1*gpa_5
  s =~ 0*gpa_0 + 1*gpa_1 + 2*gpa_2 + 3*gpa_3 + 4*gpa_4 + 5*gpa_5
  gpa_0 ~~ v0*gpa_0
  gpa_1 ~~ v1*gpa_1
  gpa_2 ~~ v2*gpa_2
  gpa_3 ~~ v3*gpa_3
  gpa_4 ~~ v4*gpa_4
  gpa_5 ~~ v5*gpa_5
  i ~ a*sexmale
  s ~ b*sexmale
'
full <- growth(base, wide)
wald <- lavTestWald(full, "a == 0\nb == 0")
equal <- growth(paste(base, "v0 == v1\nv1 == v2"), wide)
score <- growth(paste(base, "a == 0\nb == 0"), wide)
out <- list(
  exact_few = exact(NULL, model.matrix(~ occasion, few), rep(1, nrow(few)), few$student),
  exact_slope = exact(NULL, model.matrix(~ time, singular), singular$time, singular$id),
  exact_rlrt_few = list(statistic = unname(r1$statistic), p = r1$p.value),
  exact_rlrt_slope = list(statistic = unname(r2$statistic), p = r2$p.value),
  wald = list(statistic = wald$stat, df = wald$df, p = wald$p.value),
  lrt_equal = list(statistic = unname(2 * (fitMeasures(full, "logl") - fitMeasures(equal, "logl")))),
  score = list(statistic = lavTestScore(score)$test$X2, df = lavTestScore(score)$test$df),
  versions = list(R = R.version.string, RLRsim = as.character(packageVersion("RLRsim")),
    lme4 = as.character(packageVersion("lme4")), lavaan = as.character(packageVersion("lavaan")))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
