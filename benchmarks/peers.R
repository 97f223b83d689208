# Fits one model by one program each time a line arrives on standard input, and prints the seconds
# of the fit alone, the log-likelihood, and the process's peak memory in MB.
# Arguments: program, scenario, folder of raw columns, persons, rows, occasions.

arguments <- commandArgs(trailingOnly = TRUE)
program <- arguments[1]
scenario <- arguments[2]
folder <- arguments[3]
n_persons <- as.integer(arguments[4])
n_rows <- as.integer(arguments[5])
n_times <- as.integer(arguments[6])

column <- function(name, n) {
  readBin(file.path(folder, paste0(name, ".bin")), "double", n)
}
outcomes <- paste0("y", seq_len(n_times) - 1)
times <- paste0("t", seq_len(n_times) - 1)

long_data <- function() {
  data.frame(
    id = factor(column("id", n_rows)), t = column("t", n_rows),
    x = column("x", n_rows), y = column("y", n_rows)
  )
}
wide_data <- function(names) {
  as.data.frame(sapply(names, function(name) {
    values <- column(paste0("wide_", name), n_persons)
    values[is.nan(values)] <- NA
    values
  }, simplify = FALSE))
}

growth_text <- function() {
  text <- c(
    paste("i =~", paste0("1*", outcomes, collapse = " + ")),
    paste("s =~", paste0(seq_len(n_times) - 1, "*", outcomes, collapse = " + ")),
    "i ~ x", "s ~ x"
  )
  if (scenario != "by_occasion") {
    text <- c(text, paste0(outcomes, " ~~ r*", outcomes))
  }
  paste(text, collapse = "\n")
}

openmx_model <- function(data) {
  label <- if (scenario == "by_occasion") NA else "r"
  slopes <- if (scenario == "individual") {
    mxPath("s", outcomes, free = FALSE, labels = paste0("data.", times))
  } else {
    mxPath("s", outcomes, free = FALSE, values = seq_len(n_times) - 1)
  }
  mxModel(
    "growth", type = "RAM", manifestVars = c(outcomes, "x"), latentVars = c("i", "s"),
    mxPath("i", outcomes, free = FALSE, values = 1), slopes,
    mxPath(outcomes, arrows = 2, values = 1, labels = label),
    mxPath(c("i", "s"), arrows = 2, connect = "unique.pairs", values = c(1, 0.05, 0.5)),
    mxPath("x", c("i", "s"), values = 0.05), mxPath("x", arrows = 2, values = 0.3),
    mxPath("one", c("i", "s", "x"), values = c(1, 0.1, 0.4)),
    mxData(data, type = "raw")
  )
}

quiet <- function(expression) suppressWarnings(suppressMessages(expression))
quiet(library(switch(program, OpenMx = "OpenMx", program), character.only = TRUE))

if (program %in% c("lme4", "nlme", "glmmTMB")) {
  data <- long_data()
} else {
  data <- wide_data(c(outcomes, "x", if (scenario == "individual") times))
}
fit <- switch(program,
  lme4 = function() lmer(y ~ t * x + (1 + t | id), data, REML = FALSE),
  nlme = function() {
    if (scenario == "by_occasion") {
      lme(y ~ t * x, data, ~ t | id, weights = varIdent(form = ~ 1 | t), method = "ML")
    } else {
      lme(y ~ t * x, data, ~ t | id, method = "ML")
    }
  },
  glmmTMB = function() {
    spread <- if (scenario == "by_occasion") ~ 0 + factor(t) else ~ 1
    glmmTMB(y ~ t * x + (1 + t | id), data, dispformula = spread)
  },
  lavaan = function() {
    growth(growth_text(), data, missing = if (scenario == "missing") "ml" else "listwise")
  },
  OpenMx = function() mxRun(openmx_model(data), silent = TRUE, suppressWarnings = TRUE)
)
likelihood <- function(found) {
  switch(program,
    OpenMx = NA,
    lavaan = as.numeric(fitMeasures(found, "logl")),
    as.numeric(logLik(found))
  )
}
peak <- function() {
  status <- readLines("/proc/self/status")
  as.numeric(gsub("[^0-9]", "", grep("^VmHWM", status, value = TRUE))) / 1024
}
resident <- function() {
  status <- readLines("/proc/self/status")
  as.numeric(gsub("[^0-9]", "", grep("^VmRSS", status, value = TRUE))) / 1024
}
invisible(gc())
before <- if (file.exists("/proc/self/status")) resident() else NA

cat("ready", as.character(packageVersion(program)), "\n")
commands <- file("stdin")
open(commands)
while (length(line <- readLines(commands, n = 1)) > 0) {
  invisible(gc())
  answer <- tryCatch(
    {
      seconds <- system.time(found <- quiet(fit()))[["elapsed"]]
      paste("seconds", format(seconds, digits = 6), format(likelihood(found), digits = 17),
        if (is.na(before)) NA else format(peak() - before, digits = 6))
    },
    error = function(e) paste("failed", gsub("\n", " ", conditionMessage(e)))
  )
  cat(answer, "\n")
}
