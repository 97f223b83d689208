# Other estimators of the fixed effects: plm, sandwich, geepack; Mundlak's form by lme4 and clubSandwich.
# Usage: Rscript alternatives.R FOLDER_OF_REFERENCE_DATA > alternatives.json
suppressPackageStartupMessages({library(plm); library(sandwich); library(geepack); library(lme4); library(clubSandwich); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
control <- geese.control(epsilon = 1e-13, maxit = 500)
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-13, ftol_abs = 1e-14, maxeval = 1e5))
both <- function(b, v) list(estimate = as.list(b), std_error = as.list(sqrt(diag(as.matrix(v)))))
gee <- function(f, d, corstr, zcor = NULL) {
  environment(f) <- environment()
  # With waves beside zcor geepack 1.3.9 ends in a segmentation fault.
  r <- if (is.null(zcor)) geeglm(f, id = d$.id, waves = d$.wave, data = d, corstr = corstr, control = control)
    else geeglm(f, id = d$.id, data = d, corstr = corstr, zcor = zcor, control = control)
  v <- vcov(r); dimnames(v) <- list(names(coef(r)), names(coef(r)))
  c(both(coef(r), v), list(alpha = as.list(r$geese$alpha)))
}
one <- function(f, varying, d, id, time, unstructured = TRUE) {
  d <- d[complete.cases(d[all.vars(f)]), ]
  d <- d[order(d[[id]], d[[time]]), ]
  d$.id <- as.integer(factor(d[[id]])); d$.wave <- as.integer(round(d[[time]])) + 1L
  w <- plm(f, data = d, index = c(".id", ".wave"), model = "within")
  l <- lm(f, d)
  x <- model.matrix(f, d)[, varying, drop = FALSE]
  means <- apply(x, 2, function(column) ave(column, d$.id))
  colnames(means) <- paste0("mean(", varying, ")")
  full <- cbind(model.matrix(f, d), means)
  full <- full[, qr(full)$pivot[seq_len(qr(full)$rank)]]
  d$.x <- full
  m <- lmer(update(f, . ~ 0 + .x + (1 | .id)), d, REML = FALSE, control = tight)
  b <- setNames(fixef(m), colnames(full))
  v <- as.matrix(vcovCR(m, type = "CR0")); dimnames(v) <- list(names(b), names(b))
  at <- grepl("^mean\\(", names(b))
  wald <- if (any(at)) drop(b[at] %*% solve(v[at, at], b[at])) else NA
  out <- list(
    within = both(coef(w), vcovHC(w, method = "arellano", type = "sss")),
    pooled = both(coef(l), vcovCL(l, cluster = d$.id)),
    mundlak = c(both(b, v), list(wald = wald, df = sum(at))),
    gee_exchangeable = gee(f, d, "exchangeable"),
    gee_ar1 = gee(f, d, "ar1")
  )
  if (unstructured) {
    z <- genZcor(clusz = as.numeric(table(d$.id)), waves = d$.wave, corstrv = 4)
    out$gee_unstructured <- gee(f, d, "userdefined", z)
  }
  out
}
read <- function(name) read.csv(file.path(folder, name))
out <- list(
  missing = one(gpa ~ occasion * sexmale + lib_hours, c("occasion", "lib_hours", "occasion:sexmale"),
    read("A08_gpa_missing_long.csv"), "student", "occasion"),
  complete = one(gpa ~ occasion + lib_hours, c("occasion", "lib_hours"), read("A_gpa_long.csv"), "student", "occasion"),
  sleep = one(Reaction ~ Days, "Days", read("B_sleepstudy_long.csv"), "Subject", "Days", unstructured = FALSE),
  versions = c(list(R = R.version.string), sapply(c("plm", "sandwich", "geepack", "lme4", "clubSandwich"),
    function(p) as.character(packageVersion(p)), simplify = FALSE))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
