# Arguments: directory, "ml" or "listwise", information matrix, number of groups, number of persons
# of each group where moments are given ("" where data are), number of parameters, of levels.
report(directory, function() {
  suppressPackageStartupMessages(library(lavaan))
  syntax <- paste(readLines(file.path(directory, "model.txt")), collapse = "\n")
  n_groups <- as.integer(arguments[4])
  sizes <- as.integer(strsplit(arguments[5], " ")[[1]])
  options <- list(
    model = syntax, meanstructure = TRUE, fixed.x = TRUE, missing = arguments[2],
    information = arguments[3], likelihood = "normal", check.start = FALSE
  )
  if (length(sizes)) {
    cov <- lapply(seq_len(n_groups), function(g) {
      m <- as.matrix(read.csv(file.path(directory, paste0("cov", g, ".csv"))))
      rownames(m) <- colnames(m)
      m
    })
    mean <- lapply(seq_len(n_groups), function(g) {
      unlist(read.csv(file.path(directory, paste0("mean", g, ".csv"))))
    })
    options <- c(options, list(
      sample.cov = if (n_groups > 1) cov else cov[[1]],
      sample.mean = if (n_groups > 1) mean else mean[[1]],
      sample.nobs = if (n_groups > 1) as.list(sizes) else sizes, sample.cov.rescale = FALSE
    ))
  } else {
    options$data <- read.csv(file.path(directory, "data.csv"))
    if (n_groups > 1) {
      options$group <- "group"
      options$group.label <- as.character(seq_len(n_groups))
    }
    if (as.integer(arguments[7]) > 1) options$cluster <- "cluster"
  }
  for (tolerance in c(1e-14, 1e-12, 1e-10)) {
    # A stop at a tight tolerance is said only where no looser one ends well.
    fit <- withCallingHandlers(
      do.call(lavaan, c(options, list(control = list(
        iter.max = 10000, eval.max = 20000, rel.tol = tolerance
      )))),
      warning = function(w) {
        if (tolerance < 1e-10 && grepl("optimizer", conditionMessage(w)))
          invokeRestart("muffleWarning")
      }
    )
    if (lavInspect(fit, "converged")) break
  }
  wanted <- paste0("p", seq_len(as.integer(arguments[6])))
  places <- match(wanted, names(coef(fit)))
  covariance <- tryCatch(unclass(vcov(fit))[places, places, drop = FALSE], error = function(e) NULL)
  list(
    estimates = unname(coef(fit))[places],
    covariance = if (is.null(covariance)) list() else unname(covariance),
    log_likelihood = as.numeric(fitMeasures(fit, "logl")), n_subjects = lavInspect(fit, "ntotal"),
    converged = lavInspect(fit, "converged"), iterations = lavInspect(fit, "iterations")
  )
})
