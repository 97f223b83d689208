# Arguments: directory, "0" or "1" (whether starting values are given), number of parameters,
# number of groups. The model is in model.R, starting values by data in starts.R.
report(directory, function() {
  suppressPackageStartupMessages(library(OpenMx))
  wide <- read.csv(file.path(directory, "data.csv"))
  n_groups <- as.integer(arguments[4])
  groups <- wide$group
  wide <- as.data.frame(lapply(wide[setdiff(names(wide), "group")], as.numeric))
  here <- environment()
  sys.source(file.path(directory, "starts.R"), envir = here)
  model <- eval(parse(file.path(directory, "model.R")), envir = here)
  if (arguments[2] == "0") {
    if (n_groups == 1) model <- with_starts(model)
    else for (name in names(model$submodels))
      model <- mxModel(model, with_starts(model[[name]]))
  }
  mxOption(key = "Default optimizer", value = "SLSQP")
  mxOption(key = "Nudge zero starts", value = "No")
  mxOption(key = "Optimality tolerance", value = "1e-12")
  mxOption(key = "Feasibility tolerance", value = "1e-10")
  fit <- omxAssignFirstParameters(model)
  # Numeric gradients seldom reach so tight a tolerance; a search that gains nothing will do.
  last <- Inf
  steps <- 0
  for (search in 1:6) {
    fit <- withCallingHandlers(mxRun(fit, silent = TRUE), warning = function(w) {
      if (grepl("non-zero status code [56]", conditionMessage(w))) invokeRestart("muffleWarning")
    })
    steps <- steps + fit$output$iterations
    converged <- fit$output$status$code < 2 || abs(last - fit$output$fit) < 1e-9
    if (converged) break
    last <- fit$output$fit
  }
  wanted <- paste0("p", seq_len(as.integer(arguments[3])))
  covariance <- tryCatch(unname(vcov(fit)[wanted, wanted, drop = FALSE]), error = function(e) NULL)
  list(
    estimates = unname(coef(fit)[wanted]),
    covariance = if (is.null(covariance)) list() else covariance,
    log_likelihood = -fit$output$fit / 2, converged = converged, iterations = steps
  )
})
