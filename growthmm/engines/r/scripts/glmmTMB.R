# Arguments: directory, "ml" or "reml", number of fixed effects, blocks as "1 2;3", diagonal flags
# as "0;1", residual structure, number of occasions.
report(directory, function() {
  suppressPackageStartupMessages(library(glmmTMB))
  data <- read.csv(file.path(directory, "data.csv"))
  data$id <- factor(data$id)
  structure <- arguments[6]
  m <- as.integer(arguments[7])
  data$stratum <- if (structure %in% c("ar1", "ar1+common")) factor(data$step, 0:(m - 1)) else factor(data$stratum)
  n_fixed <- as.integer(arguments[3])
  blocks <- lapply(strsplit(arguments[4], ";")[[1]], function(b) strsplit(b, " ")[[1]])
  diagonal <- strsplit(arguments[5], ";")[[1]] == "1"
  bars <- vapply(seq_along(blocks), function(k) {
    inside <- paste0("z", blocks[[k]], collapse = " + ")
    sprintf("%s(0 + %s | id)", if (diagonal[k]) "diag" else "us", inside)
  }, "")
  within <- c(ar1 = "ar1", "ar1+common" = "ar1", csh = "cs", unstructured = "us")[structure]
  if (!is.na(within)) bars <- c(bars, sprintf("%s(0 + stratum | id)", within))
  terms <- c("0", if (n_fixed) paste0("x", seq_len(n_fixed)), bars)
  formula <- as.formula(paste("y ~", paste(terms, collapse = " + ")))
  dispersion <- if (structure %in% c("by_occasion", "by_group")) ~ 0 + stratum
    else if (structure %in% c("ar1", "csh", "unstructured")) ~ 0 else ~ 1
  # The restart goes on where the first search stopped short; its singular convergence is no harm.
  search <- function(start, tolerance) glmmTMB(
    formula, data, dispformula = dispersion, REML = arguments[2] == "reml", start = start,
    control = glmmTMBControl(optCtrl = list(
      iter.max = 5000, eval.max = 10000, rel.tol = tolerance, x.tol = tolerance
    ))
  )
  first <- suppressWarnings(search(NULL, 1e-10))
  estimates <- first$obj$env$parList(first$fit$par)
  start <- estimates[c("beta", "betad", "theta")]
  if (identical(dispersion, ~ 0)) start$betad <- NULL
  model <- withCallingHandlers(search(start, 1e-14), warning = function(w) {
    if (grepl("singular convergence|false convergence", conditionMessage(w)))
      invokeRestart("muffleWarning")
  })
  parts <- VarCorr(model)$cond
  n_random <- length(unlist(blocks))
  covariance <- matrix(0, n_random, n_random)
  for (k in seq_along(blocks)) {
    places <- as.integer(blocks[[k]])
    found <- parts[[k]]
    covariance[places, places] <- if (diagonal[k]) diag(diag(found), length(places))
      else found[seq_along(places), seq_along(places)]
  }
  # Versions differ in whether a dispersion parameter is a log variance or a log SD.
  probe <- glmmTMB(y ~ 1, data = data.frame(y = c(1, 2, 4, 9)))
  power <- if (abs(exp(fixef(probe)$disp) - sigma(probe)) < 1e-6 * sigma(probe)) 2 else 1
  variances <- if (structure %in% c("by_occasion", "by_group")) unname(exp(fixef(model)$disp))^power
    else if (identical(dispersion, ~ 1)) sigma(model)^2 else numeric()
  residual <- if (is.na(within)) list() else {
    found <- parts[[length(parts)]]
    unname(found[seq_len(nrow(found)), seq_len(nrow(found)), drop = FALSE])
  }
  root <- sqrt(diag(covariance))
  lowest <- if (n_random) min(
    eigen(covariance / outer(root, root), symmetric = TRUE, only.values = TRUE)$values
  ) else 1
  columns <- paste0("z", seq_len(n_random))
  if (n_random) lowest <- min(lowest, diag(covariance) * colMeans(data[columns]^2) / var(data$y))
  gradient <- max(abs(model$obj$gr(model$fit$par)))
  list(
    fixed = unname(fixef(model)$cond), fixed_covariance = unname(as.matrix(vcov(model)$cond)),
    covariance = covariance, variances = variances, residual = residual,
    log_likelihood = as.numeric(logLik(model)), singular = !is.finite(lowest) || lowest < 1e-6,
    converged = is.finite(gradient) && gradient < 1e-2, iterations = model$fit$iterations
  )
})
