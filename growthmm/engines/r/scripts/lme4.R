# Arguments: directory, "ml" or "reml", number of fixed effects, blocks as "1 2;3", the column of
# the grouping factor of each block as "id;cluster".
report(directory, function() {
  suppressPackageStartupMessages(library(lme4))
  data <- read.csv(file.path(directory, "data.csv"))
  data$id <- factor(data$id)
  data$cluster <- factor(data$cluster)
  n_fixed <- as.integer(arguments[3])
  blocks <- lapply(strsplit(arguments[4], ";")[[1]], function(b) strsplit(b, " ")[[1]])
  n_random <- length(unlist(blocks))
  groups <- strsplit(arguments[5], ";")[[1]]
  bars <- paste0(
    "(0 + ", vapply(blocks, function(b) paste0("z", b, collapse = " + "), ""), " | ", groups, ")"
  )
  terms <- c("0", if (n_fixed) paste0("x", seq_len(n_fixed)), bars)
  formula <- as.formula(paste("y ~", paste(terms, collapse = " + ")))
  fit <- function(start) lmer(
    formula, data, REML = arguments[2] == "reml", start = start,
    control = lmerControl(
      optimizer = "nloptwrap",
      optCtrl = list(
        xtol_abs = 1e-12, ftol_abs = 1e-14, xtol_rel = 1e-12, ftol_rel = 1e-15, maxeval = 100000
      )
    )
  )
  # The search stops early where its trust region has shrunk; a second one starts it wide again.
  model <- suppressMessages(suppressWarnings(fit(NULL)))
  model <- fit(getME(model, "theta"))
  covariance <- matrix(0, n_random, n_random)
  for (part in VarCorr(model)) {
    places <- as.integer(sub("z", "", rownames(part)))
    covariance[places, places] <- part
  }
  derivatives <- model@optinfo$derivs
  decrement <- if (is.null(derivatives)) NA else tryCatch(
    0.25 * sum(derivatives$gradient * solve(derivatives$Hessian, derivatives$gradient)),
    error = function(e) NA
  )
  list(
    fixed = unname(fixef(model)), fixed_covariance = as.matrix(vcov(model)),
    covariance = covariance, residual = sigma(model)^2, log_likelihood = as.numeric(logLik(model)),
    singular = isSingular(model), converged = model@optinfo$conv$opt >= 0,
    iterations = model@optinfo$feval, decrement = decrement
  )
})
