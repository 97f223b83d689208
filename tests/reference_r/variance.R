# R2 and ICC by performance, r2beta from its published formulas with pbkrtest, the partition of
# variance from its published formulas, standardised solutions and R2 by lavaan, simple slopes by
# emmeans, and predictions with their errors from Henderson's equations solved dense.
# Usage: Rscript variance.R FOLDER_OF_REFERENCE_DATA > variance.json
suppressPackageStartupMessages({library(lme4); library(performance); library(pbkrtest); library(lavaan); library(emmeans); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
gpa <- read.csv(file.path(folder, "A_gpa_long.csv"))
wide <- read.csv(file.path(folder, "A_gpa_wide.csv"))
missing <- read.csv(file.path(folder, "A08_gpa_missing_long.csv"))
sleep <- read.csv(file.path(folder, "B_sleepstudy_long.csv"))
unbalanced <- read.csv(file.path(folder, "E02_unbalanced_long.csv"))
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 1e5))

r2_and_icc <- function(fit) {
  r2 <- r2_nakagawa(fit); ic <- icc(fit)
  list(marginal = r2$R2_marginal[[1]], conditional = r2$R2_conditional[[1]],
       adjusted = ic$ICC_adjusted, unadjusted = ic$ICC_unadjusted)
}
dense <- function(fit) {
  Z <- as.matrix(getME(fit, "Z")); L <- as.matrix(getME(fit, "Lambda"))
  s2 <- sigma(fit)^2
  list(X = getME(fit, "X"), Z = Z, G = s2 * L %*% t(L), s2 = s2)
}
semipartial <- function(fit) {
  d <- dense(fit); X <- d$X; b <- fixef(fit); p <- length(b); n <- nrow(X)
  V <- d$Z %*% d$G %*% t(d$Z) + d$s2 * diag(n)
  person <- getME(fit, "flist")[[1]]
  sizes <- as.numeric(table(person))
  logs <- sapply(split(seq_len(n), person), function(i) determinant(V[i, i, drop = FALSE])$modulus / length(i))
  mobs <- mean(sizes); m <- length(sizes) - mobs - 1
  sgv_df <- if (m <= 0) n - 1 else mobs * (m + 1) + (mobs - 1) * (mobs - 2) / 2
  rows <- c(list(Model = cbind(0, diag(p - 1))), setNames(lapply(2:p, function(k) diag(p)[k, , drop = FALSE]), names(b)[-1]))
  made <- function(F, q, d) list(r_squared = (q * F / d) / (1 + q * F / d), f = F, df_denominator = d,
    ci_low = qbeta(.025, q / 2, d / 2, q * F), ci_high = qbeta(.975, q / 2, d / 2, q * F))
  scaled <- function(s, d) lapply(rows, function(C) {
    q <- nrow(C)
    made(as.numeric(t(C %*% b) %*% solve(C %*% solve(crossprod(X)) %*% t(C) * s, C %*% b)) / q, q, d)})
  list(nsj = scaled(mean(diag(V)), n - 1), sgv = scaled(exp(mean(logs)), sgv_df),
       `kenward-roger` = lapply(rows, function(C) { k <- KRmodcomp(fit, C)$stats; made(k$Fstat, k$ndf, k$ddf) }))
}
partition <- function(fit) {
  d <- dense(fit); b <- fixef(fit); person <- getME(fit, "flist")[[1]]
  inside <- function(M) M - apply(M, 2, function(c) ave(c, person))
  outside <- function(M) apply(M, 2, function(c) ave(c, person))
  mm <- getME(fit, "mmList")[[1]]; T <- as.matrix(VarCorr(fit)[[1]])
  list(f1 = as.numeric(t(b) %*% var(inside(d$X)) %*% b), f2 = as.numeric(t(b) %*% var(outside(d$X)) %*% b),
       v1 = sum(diag(T %*% var(inside(mm)))), v2 = sum(diag(T %*% var(outside(mm)))),
       m = as.numeric(t(colMeans(mm)) %*% T %*% colMeans(mm)), residual = d$s2)
}
mixed <- function(formula, data) {
  fit <- lmer(formula, data, REML = TRUE, control = tight)
  ml <- lmer(formula, data, REML = FALSE, control = tight)
  list(reml = r2_and_icc(fit), ml = r2_and_icc(ml), r2beta = semipartial(fit), partition = partition(fit))
}
# Prediction errors: y is known, theta is given, and (b, u) are predicted together.
henderson <- function(formula, data, new, person) {
  fit <- lmer(formula, data, REML = TRUE, control = tight)
  d <- dense(fit); X <- d$X; Z <- d$Z; keep <- diag(d$G) > 0
  C <- rbind(cbind(crossprod(X), crossprod(X, Z)), cbind(crossprod(Z, X), crossprod(Z))) / d$s2
  at <- ncol(X) + seq_len(ncol(Z))
  C[at, at] <- C[at, at] + solve(d$G)
  inverse <- solve(C)
  xn <- model.matrix(nobars(formula)[-2], new)
  T <- as.matrix(VarCorr(fit)[[1]])
  zn <- model.matrix(as.formula(paste("~", sub("\\|.*", "", as.character(findbars(formula)[[1]])[2]))), new)
  column <- function(id) which(levels(getME(fit, "flist")[[1]]) == id)
  known <- t(sapply(seq_len(nrow(new)), function(i) {
    w <- numeric(nrow(C)); w[seq_len(ncol(X))] <- xn[i, ]
    w[ncol(X) + (column(new[[person]][i]) - 1) * ncol(zn) + seq_len(ncol(zn))] <- zn[i, ]
    c(sqrt(w %*% inverse %*% w), sqrt(w %*% inverse %*% w + d$s2))}))
  fixed <- diag(xn %*% as.matrix(vcov(fit)) %*% t(xn))
  list(population = as.numeric(xn %*% fixef(fit)), population_se = sqrt(fixed),
       population_prediction_se = sqrt(fixed + diag(zn %*% T %*% t(zn)) + d$s2),
       person = as.numeric(predict(fit, new)), person_se = known[, 1], person_prediction_se = known[, 2])
}
growth <- "i =~ 1*gpa_0+1*gpa_1+1*gpa_2+1*gpa_3+1*gpa_4+1*gpa_5
s =~ 0*gpa_0+1*gpa_1+2*gpa_2+3*gpa_3+4*gpa_4+5*gpa_5"
same <- paste0("gpa_", 0:5, " ~~ v*gpa_", 0:5, collapse = "\n")
sem <- function(text) {
  fit <- growth(text, wide, control = list(rel.tol = 1e-10))
  table <- function(type) {
    s <- standardizedSolution(fit, type = type)
    s <- s[!(s$op == "~~" & s$lhs == "sexmale") & !(s$op == "~1" & s$lhs == "sexmale"), ]
    setNames(lapply(seq_len(nrow(s)), function(i) list(est = s$est.std[i], se = s$se[i])), paste0(s$lhs, s$op, s$rhs))
  }
  list(r2 = as.list(lavInspect(fit, "r2")), all = table("std.all"), lv = table("std.lv"))
}
slopes <- function() {
  data <- transform(missing, high = as.numeric(scale(student %% 7)))
  fit <- lmer(gpa ~ occasion * high + (occasion | student), data, REML = TRUE, control = tight)
  trend <- as.data.frame(emtrends(fit, ~ high, "occasion", at = list(high = c(-1, 0, 2)), lmer.df = "asymptotic"))
  V <- as.matrix(vcov(fit)); b <- fixef(fit); z <- qnorm(.975)
  k <- c("occasion", "occasion:high"); V <- V[k, k]; b <- b[k]
  polynomial <- c(b[1]^2 - z^2 * V[1, 1], 2 * (b[1] * b[2] - z^2 * V[1, 2]), b[2]^2 - z^2 * V[2, 2])
  list(slope = trend$occasion.trend, se = trend$SE, low = trend$asymp.LCL, high = trend$asymp.UCL,
       bounds = sort(Re(polyroot(polynomial))), real = max(abs(Im(polyroot(polynomial)))) < 1e-6)
}
out <- list(
  intercept = mixed(gpa ~ occasion + (1 | student), gpa),
  slope = mixed(gpa ~ occasion + (occasion | student), gpa),
  sex = mixed(gpa ~ occasion * sexmale + (occasion | student), gpa),
  missing = mixed(gpa ~ occasion * sexmale + (occasion | student), missing),
  sleep = mixed(Reaction ~ Days + (Days | Subject), sleep),
  unbalanced = mixed(y ~ time + (time | id), unbalanced),
  predictions = henderson(gpa ~ occasion * sexmale + (occasion | student), missing,
    data.frame(student = c(1, 2, 3, 3), occasion = c(0, 7, 2.5, 5),
               sexmale = missing$sexmale[match(c(1, 2, 3, 3), missing$student)]), "student"),
  sem_equal = sem(paste(growth, same, sep = "\n")),
  sem_free = sem(growth),
  sem_sex = sem(paste(growth, same, "i + s ~ sexmale", sep = "\n")),
  slopes = slopes(),
  versions = list(R = R.version.string, lme4 = as.character(packageVersion("lme4")),
    performance = as.character(packageVersion("performance")), pbkrtest = as.character(packageVersion("pbkrtest")),
    lavaan = as.character(packageVersion("lavaan")), emmeans = as.character(packageVersion("emmeans")))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
