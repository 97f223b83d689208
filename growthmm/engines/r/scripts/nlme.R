# Arguments: directory, "ml" or "reml", number of fixed effects, blocks as "1 2;3", diagonal flags
# as "0;1", residual structure, whether times are whole numbers.
report(directory, function() {
  suppressPackageStartupMessages(library(nlme))
  data <- read.csv(file.path(directory, "data.csv"))
  data$id <- factor(data$id)
  data$stratum <- factor(data$stratum)
  n_fixed <- as.integer(arguments[3])
  blocks <- lapply(strsplit(arguments[4], ";")[[1]], function(b) strsplit(b, " ")[[1]])
  diagonal <- strsplit(arguments[5], ";")[[1]] == "1"
  structure <- arguments[6]
  parts <- Map(function(block, flag) {
    form <- as.formula(paste("~ 0 +", paste0("z", block, collapse = " + ")))
    if (flag) pdDiag(form) else pdSymm(form)
  }, blocks, diagonal)
  random <- list(id = if (length(parts) == 1) parts[[1]] else pdBlocked(unname(parts)))
  weights <- if (structure %in% c("by_occasion", "by_group", "arh1")) varIdent(form = ~ 1 | stratum)
  correlation <- if (structure %in% c("ar1", "arh1")) {
    if (arguments[7] == "1") corAR1(form = ~ time | id) else corCAR1(form = ~ time | id)
  }
  fixed <- as.formula(paste("y ~", paste(c("0", paste0("x", seq_len(n_fixed))), collapse = " + ")))
  # returnObject gives a fit that did not converge, with a warning that is the only sign of it.
  converged <- TRUE
  model <- withCallingHandlers(lme(
    fixed, data, random = random, weights = weights, correlation = correlation,
    method = if (arguments[2] == "reml") "REML" else "ML",
    control = lmeControl(
      maxIter = 500, msMaxIter = 1000, msMaxEval = 5000, niterEM = 100, tolerance = 1e-12,
      msTol = 1e-14, opt = "nlminb", returnObject = TRUE
    )
  ), warning = function(w) {
    if (grepl("converge|iteration limit", conditionMessage(w))) converged <<- FALSE
  })
  raw <- as.matrix(model$modelStruct$reStruct$id) * model$sigma^2
  places <- as.integer(sub("z", "", rownames(raw)))
  covariance <- matrix(0, nrow(raw), nrow(raw))
  covariance[places, places] <- raw
  root <- sqrt(diag(covariance))
  lowest <- min(eigen(covariance / outer(root, root), symmetric = TRUE, only.values = TRUE)$values)
  columns <- paste0("z", seq_len(nrow(covariance)))
  lowest <- min(lowest, diag(covariance) * colMeans(data[columns]^2) / model$sigma^2)
  variances <- model$sigma^2
  if (!is.null(weights)) {
    ratios <- coef(model$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)
    variances <- model$sigma^2 * unname(ratios[levels(data$stratum)])^2
  }
  list(
    fixed = unname(fixef(model)), fixed_covariance = unname(model$varFix),
    covariance = covariance, residual = variances,
    correlation = if (is.null(correlation)) list()
      else unname(coef(model$modelStruct$corStruct, unconstrained = FALSE)),
    log_likelihood = as.numeric(logLik(model)), singular = lowest < 1e-6,
    converged = converged, iterations = if (is.null(model$numIter)) 0 else model$numIter, decrement = NA
  )
})
